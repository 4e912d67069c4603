//! Statements: blocks, loops that end, functions, coroutines, errors that are caught.

use metatrace_generator::Random;

use crate::expression::{Expressions, KINDS, Kind, Variable};
use crate::program::{Node, Program};

/// How deep blocks are.
const DEPTH: usize = 3;
/// Variables of a function, which may have 200.
const MOST_LOCALS: usize = 90;

/// Writes a program.
pub(crate) struct Writer {
    random: Random,
    scope: Vec<Variable>,
    /// Names given so far.
    names: usize,
    /// Loops around the statement, within its function.
    loops: usize,
}

impl Writer {
    pub fn new(seed: u64) -> Writer {
        Writer { random: Random::new(seed), scope: Vec::new(), names: 0, loops: 0 }
    }

    /// Some chunks, each of which catches its errors.
    pub fn program(mut self) -> Program {
        let chunks = 2 + self.random.below(3);
        let mut nodes = Vec::new();
        for _ in 0..chunks {
            self.scope.clear();
            self.loops = 0;
            let mut body: Vec<Node> = KINDS.iter().map(|&kind| self.local(kind)).collect();
            body.extend(self.statements(6, 0));
            let names: Vec<&str> = self.scope.iter().map(|variable| &*variable.name).collect();
            body.push(Node::Line(format!("out({})", names.join(", "))));
            nodes.push(Node::Block("out(pcall(function()".into(), vec![(body, "end))".into())]));
        }
        Program { nodes }
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    fn expressions(&mut self) -> Expressions<'_> {
        Expressions { random: &mut self.random, scope: &self.scope }
    }

    fn expression(&mut self, kind: Kind) -> String {
        self.expressions().of(kind, 3)
    }

    fn local(&mut self, kind: Kind) -> Node {
        let value = self.expression(kind);
        let name = self.declare(kind, true);
        Node::Line(format!("local {name} = {value}"))
    }

    fn declare(&mut self, kind: Kind, is_mutable: bool) -> String {
        let name = self.name();
        self.scope.push(Variable { name: name.clone(), kind, is_mutable });
        name
    }

    fn known(&mut self, kind: Kind) -> Option<String> {
        let fits = |variable: &&Variable| variable.kind == kind && variable.is_mutable;
        let fitting: Vec<&Variable> = self.scope.iter().filter(fits).collect();
        (!fitting.is_empty()).then(|| self.random.pick(&fitting).name.clone())
    }

    fn statements(&mut self, count: usize, depth: usize) -> Vec<Node> {
        let count = 1 + count / 2 + self.random.below(count);
        (0..count).map(|_| self.statement(depth)).collect()
    }

    /// A block with variables of its own.
    fn block(&mut self, depth: usize) -> Vec<Node> {
        let before = self.scope.len();
        let body = self.statements(3, depth + 1);
        self.scope.truncate(before);
        body
    }

    fn statement(&mut self, depth: usize) -> Node {
        let simple = depth >= DEPTH;
        match self.random.below(if simple { 9 } else { 22 }) {
            0 | 1 if self.scope.len() < MOST_LOCALS => {
                let kind = *self.random.pick(&KINDS);
                self.local(kind)
            }
            0..=4 => self.assignment(),
            5 => self.list_operation(),
            6 => self.field(),
            7 => {
                let (a, b) = (self.expressions().any(2), self.expressions().any(2));
                Node::Line(format!("out({a}, {b})"))
            }
            8 => self.leave(),
            9 | 10 => self.condition(depth),
            11..=14 => self.counted_loop(depth),
            15 => self.while_loop(depth),
            16 => self.iteration(depth),
            17 | 18 => self.function(depth),
            19 => self.protected(depth),
            20 => self.generator(depth),
            _ => self.closing(depth),
        }
    }

    fn assignment(&mut self) -> Node {
        let kind =
            *self.random.pick(&[Kind::Int, Kind::Int, Kind::Float, Kind::Text, Kind::Bool, Kind::Object]);
        let Some(target) = self.known(kind) else { return self.local(kind) };
        let value = self.expression(kind);
        if self.random.chance(15)
            && let Some(other) = self.known(kind)
            && other != target
        {
            return Node::Line(format!("{target}, {other} = {other}, {value}"));
        }
        Node::Line(format!("{target} = {value}"))
    }

    fn list_operation(&mut self) -> Node {
        let Some(list) = self.known(Kind::List) else { return self.local(Kind::List) };
        let value = self.expression(Kind::Int);
        let bounded = |text: String| format!("if #{list} < 50 then {text} end");
        Node::Line(match self.random.below(7) {
            0 => bounded(format!("{list}[#{list} + 1] = {value}")),
            1 => bounded(format!("table.insert({list}, {value})")),
            2 => bounded(format!("table.insert({list}, 1, {value})")),
            3 => format!("if #{list} > 2 then table.remove({list}) end"),
            4 => format!("if #{list} > 0 then {list}[({value}) % #{list} + 1] = {value} end"),
            5 => format!("table.sort({list})"),
            _ => format!(
                "out(table.unpack({list}, 1, 3)) out(table.concat({list}, ','), select('#', table.unpack({list})))"
            ),
        })
    }

    fn field(&mut self) -> Node {
        let Some(record) = self.known(Kind::Record) else { return self.local(Kind::Record) };
        let (field, kind) = *self.random.pick(&[("a", Kind::Int), ("b", Kind::Text), ("c", Kind::Float)]);
        let value = self.expression(kind);
        match self.random.below(4) {
            0 => Node::Line(format!("{record}.d{} = {value}", self.random.below(6))),
            // What is not there has a name in the error.
            1 if self.random.chance(15) => Node::Line(format!("{record}.none.{field} = {value}")),
            _ => Node::Line(format!("{record}.{field} = {value}")),
        }
    }

    /// Leaves a loop, or goes on, or raises.
    fn leave(&mut self) -> Node {
        let condition = self.expression(Kind::Bool);
        let what = match self.random.below(12) {
            0 => format!("error({})", self.expressions().any(1)),
            1 => "error({ code = 7 })".into(),
            2..=4 if self.loops > 0 => "break".into(),
            _ => format!("out({})", self.expressions().any(1)),
        };
        Node::Line(format!("if {condition} then {what} end"))
    }

    fn condition(&mut self, depth: usize) -> Node {
        let condition = self.expression(Kind::Bool);
        let first = self.block(depth);
        if self.random.chance(50) {
            return Node::Block(format!("if {condition} then"), vec![(first, "end".into())]);
        }
        let second = self.block(depth);
        Node::Block(format!("if {condition} then"), vec![(first, "else".into()), (second, "end".into())])
    }

    /// The body of a loop, which burns fuel.
    fn body(&mut self, depth: usize) -> Vec<Node> {
        self.loops += 1;
        let mut body = vec![Node::Line("burn()".into())];
        body.extend(self.block(depth));
        if self.random.chance(20) {
            let label = self.name();
            let condition = self.expression(Kind::Bool);
            body.insert(1, Node::Block(format!("if {condition} then goto {label} end do"), vec![]));
            let inner = body.split_off(2);
            body[1] = Node::Block(
                format!("if {condition} then goto {label} end do"),
                vec![(inner, format!("end ::{label}::"))],
            );
        }
        self.loops -= 1;
        body
    }

    fn counted_loop(&mut self, depth: usize) -> Node {
        let range = match self.random.below(12) {
            0 => "math.maxinteger - 3, math.maxinteger".into(),
            1 => "3, -3, -2".into(),
            2 => "0.0, 2.0, 0.25".into(),
            3 => "1, 0".into(),
            4 => format!("1, {}", self.expression(Kind::Int)),
            5 => "math.mininteger, math.mininteger + 5, 3".into(),
            _ => format!("1, {}", [8, 20, 60, 150][self.random.below(4) / (depth + 1)]),
        };
        let before = self.scope.len();
        let is_float = range.starts_with("0.0");
        let name = self.declare(if is_float { Kind::Float } else { Kind::Int }, false);
        let body = self.body(depth);
        self.scope.truncate(before);
        Node::Block(format!("for {name} = {range} do"), vec![(body, "end".into())])
    }

    fn while_loop(&mut self, depth: usize) -> Node {
        let counter = self.name();
        let limit = 5 + self.random.below(60);
        let condition = self.expression(Kind::Bool);
        let mut body = self.body(depth);
        body.insert(0, Node::Line(format!("{counter} = {counter} + 1")));
        let (open, close) = if self.random.chance(50) {
            (
                format!("while {counter} < {limit} and not ({condition} and {counter} > 40) do"),
                "end".to_string(),
            )
        } else {
            ("repeat".into(), format!("until {counter} >= {limit}"))
        };
        let inner = Node::Block(open, vec![(body, close)]);
        Node::Block(format!("do local {counter} = 0"), vec![(vec![inner], "end".into())])
    }

    fn iteration(&mut self, depth: usize) -> Node {
        let list = self.expression(Kind::List);
        let before = self.scope.len();
        let (key, value) = (self.declare(Kind::Int, false), self.declare(Kind::Int, false));
        let body = self.body(depth);
        self.scope.truncate(before);
        let over = match self.random.below(3) {
            0 => format!("ipairs({list})"),
            1 => format!("generator({}, {})", self.random.below(30), self.random.below(9)),
            // The order in which a list without holes that was made at once is gone through is that of its indices.
            _ => format!("pairs({{ 3, 1, 4, 1, {} }})", self.random.below(9)),
        };
        let open = format!("for {key}, {value} in {over} do {value} = {value} or 0");
        Node::Block(open, vec![(body, "end".into())])
    }

    /// A function, which is called some times.
    fn function(&mut self, depth: usize) -> Node {
        let before = self.scope.len();
        let loops = std::mem::take(&mut self.loops);
        let (a, b) = (self.declare(Kind::Int, true), self.declare(Kind::Int, true));
        let mut body = vec![Node::Line("burn()".into())];
        body.extend(self.statements(2, depth + 1));
        let result = self.expression(Kind::Int);
        self.scope.truncate(before);
        self.loops = loops;
        let (params, extra) = if self.random.chance(30) {
            (format!("{a}, {b}, ..."), ", ...")
        } else {
            (format!("{a}, {b}"), "")
        };
        let guard = format!("if {a} == nil or {b} == nil then return 0 end");
        body.insert(1, Node::Line(guard));
        body.push(Node::Line(format!("do return {result}{extra} end")));
        let name = self.declare(Kind::Function, false);
        let definition = Node::Block(format!("local function {name}({params})"), vec![(body, "end".into())]);
        let (x, y) = (self.expression(Kind::Int), self.expression(Kind::Int));
        let count = 3 + self.random.below(60);
        // A function is not known beyond the block that it is called in.
        self.scope.pop();
        let call = Node::Line(format!(
            "for i = 1, {count} do if i % 16 == 0 then out({name}(i, {x}, i, {y})) else {name}({y}, i) end end"
        ));
        Node::Block("do".into(), vec![(vec![definition, call], "end".into())])
    }

    fn protected(&mut self, depth: usize) -> Node {
        let loops = std::mem::take(&mut self.loops);
        let mut body = self.block(depth);
        self.loops = loops;
        let result = self.expressions().any(2);
        body.push(Node::Line(format!("do return {result} end")));
        let (open, close) = if self.random.chance(70) {
            ("out(pcall(function()", "end))")
        } else {
            ("out(xpcall(function()", "end, function(e) return 'handled', e end))")
        };
        Node::Block(open.into(), vec![(body, close.into())])
    }

    /// A coroutine that stops in the middle of what it does, and is resumed until it is dead.
    fn generator(&mut self, depth: usize) -> Node {
        let loops = std::mem::take(&mut self.loops);
        let name = self.name();
        let value = self.expressions().any(2);
        let mut body = self.block(depth);
        self.loops = loops;
        body.push(Node::Line(format!("local got = coroutine.yield({value})")));
        body.push(Node::Line("for i = 1, 3 do got = coroutine.yield(i, got) end".into()));
        body.push(Node::Line("do return got, 'done' end".into()));
        let definition = Node::Block(
            format!("local {name} = coroutine.create(function(...)"),
            vec![(body, "end)".into())],
        );
        let calls = Node::Line(format!(
            "for i = 1, 7 do out(coroutine.resume({name}, i)) end out(coroutine.status({name}), coroutine.close({name}))"
        ));
        Node::Block("do".into(), vec![(vec![definition, calls], "end".into())])
    }

    fn closing(&mut self, depth: usize) -> Node {
        let name = self.name();
        let value = self.random.below(100);
        let body = self.block(depth);
        Node::Block(format!("do local {name} <close> = object({value})"), vec![(body, "end".into())])
    }
}
