//! Expressions of a type.

use crate::gen_state::{Content, Gen, Target};
use crate::pattern::{Bound, Mode};
use crate::tree::{Node, Role};
use crate::types::{I64, INTS, Int, Ty, TypeDef, U8, U32, USIZE};

fn value(ty: &Ty) -> Node {
    Node::new(Role::Value(ty.clone()))
}

impl Gen {
    /// An expression of the type.
    pub fn expr(&mut self, ty: &Ty) -> Node {
        let known = std::mem::take(&mut self.known);
        self.cost += self.times;
        if self.fuel == 0 || self.depth > 6 {
            return self.leaf(ty, known);
        }
        self.fuel -= 1;
        self.depth += 1;
        let node = match self.random.below(100) {
            0..=27 => self.leaf(ty, known),
            28..=32 if *ty == I64 => self.weight(),
            28..=64 => self.specific(ty, known),
            65..=69 => self.if_value(ty),
            70..=74 => self.match_value(ty),
            75..=78 => self.block_value(ty),
            79..=81 if !self.pure => self.labelled(ty),
            82..=88 => self.call(ty),
            89 => self.closure_now(ty),
            90..=92 => self.from_option(ty, known),
            93 => self.from_aggregate(ty),
            94 | 95 if !self.pure => self.replaced(ty, known),
            96 if !self.pure => self.question(ty, known),
            97 | 98 => self.library(ty, known),
            _ => self.leaf(ty, known),
        };
        self.depth -= 1;
        node
    }

    /// An expression where its type is known.
    pub fn expr_known(&mut self, ty: &Ty) -> Node {
        self.known = true;
        self.expr(ty)
    }

    /// An expression without much in it.
    pub fn leaf(&mut self, ty: &Ty, known: bool) -> Node {
        if self.random.chance(70) {
            if let Some(node) = self.read(ty) {
                return node;
            }
            if let Some(node) = self.converted(ty) {
                return node;
            }
        }
        match ty {
            Ty::Int(_) | Ty::F32 | Ty::F64 => self.number(ty, known),
            Ty::Bool | Ty::Char | Ty::Unit => self.literal(ty),
            _ => self.construct(ty, &mut |g, ty| g.leaf(ty, known)),
        }
    }

    /// A variable of another type, converted.
    fn converted(&mut self, ty: &Ty) -> Option<Node> {
        let numeric = |ty: &Ty| matches!(ty, Ty::Int(_) | Ty::F64);
        if !numeric(ty) {
            return None;
        }
        let all = self.places(false, &|c| matches!(c, Content::Value(ty) if numeric(ty)));
        if all.is_empty() {
            return None;
        }
        let found = all[self.random.below(all.len())].clone();
        let place = self.place(&found);
        Some(value(ty).text("(").node(place).text(format!(" as {})", self.types.name(ty))))
    }

    fn specific(&mut self, ty: &Ty, known: bool) -> Node {
        match ty {
            Ty::Int(int) => self.int_expr(*int, known),
            Ty::Bool => self.bool_expr(),
            Ty::F32 | Ty::F64 => self.float_expr(ty, known),
            Ty::Char => value(ty).text("(").node(self.expr(&U8)).text(" as char)"),
            Ty::Wrap(inner) if self.random.chance(30) => {
                value(ty).text("Wrap::new(").node(self.expr(inner)).text(")")
            }
            Ty::Wrap(inner) if matches!(**inner, Ty::Int(_)) && self.random.chance(30) => {
                value(ty).text("(").node(self.expr(ty)).text(" + ").node(self.expr(ty)).text(")")
            }
            Ty::Option(inner) if self.random.chance(50) => self.option_expr(ty, inner),
            Ty::Named(n) if self.random.chance(15) => self.updated(ty, *n),
            _ => self.construct(ty, &mut |g, ty| {
                g.known = known;
                g.expr(ty)
            }),
        }
    }

    /// `S { f0: e, ..place }`.
    fn updated(&mut self, ty: &Ty, n: usize) -> Node {
        let TypeDef::Struct { name, fields } = self.types.0[n].clone() else {
            return self.construct(ty, &mut |g, ty| g.expr_known(ty));
        };
        let field = self.random.below(fields.tys.len());
        let first = self.expr_known(&fields.tys[field]);
        let rest = self.expr(ty);
        value(ty)
            .text(format!("{name} {{ {}: ", field_name(&fields, field)))
            .node(first)
            .text(", ..")
            .node(rest)
            .text(" }")
    }

    fn binary(&mut self, ty: &Ty, a: Node, op: &str, b: Node) -> Node {
        value(ty).text("(").node(a).text(format!(" {op} ")).node(b).text(")")
    }

    fn method(&mut self, ty: &Ty, mut a: Node, name: &str, args: Vec<Node>) -> Node {
        a.suffix();
        value(ty).text("(").node(a).text(format!(").{name}(")).joined(args, ", ").text(")")
    }

    fn int_expr(&mut self, int: Int, known: bool) -> Node {
        let ty = &Ty::Int(int);
        match self.random.below(24) {
            0..=3 => {
                let a = self.expr(ty);
                let b = self.expr_known(ty);
                let name = *self.random.pick(&["wrapping_add", "wrapping_sub", "wrapping_mul", "max", "min"]);
                self.method(ty, a, name, vec![b])
            }
            4..=7 => {
                let (a, b) = self.operands(ty, known);
                let op = *self.random.pick(&["+", "-", "*"]);
                if self.random.chance(7) {
                    return self.binary(ty, a, op, b);
                }
                let (a, b) =
                    (value(ty).text("(").node(a).text(" & 15)"), value(ty).text("(").node(b).text(" & 7)"));
                self.binary(ty, a, op, b)
            }
            8 | 9 => {
                let (a, b) = self.operands(ty, known);
                let op = *self.random.pick(&["&", "|", "^"]);
                self.binary(ty, a, op, b)
            }
            10 | 11 => self.shift(ty, int, known),
            12 | 13 => {
                let (a, b) = self.operands(ty, known);
                let op = *self.random.pick(&["/", "%"]);
                let b = if self.random.chance(95) { value(ty).text("(").node(b).text(" | 1)") } else { b };
                self.binary(ty, a, op, b)
            }
            14 if int.signed && self.random.chance(60) => {
                let a = self.expr(ty);
                match self.random.below(5) {
                    0 => value(ty).text("(-").node(a).text(")"),
                    1 => self.method(ty, a, "abs", vec![]),
                    2 => self.method(ty, a, "wrapping_abs", vec![]),
                    3 => self.method(ty, a, "signum", vec![]),
                    _ => self.method(ty, a, "wrapping_neg", vec![]),
                }
            }
            14 | 15 => {
                self.known = known;
                let a = self.expr(ty);
                value(ty).text("(!").node(a).text(")")
            }
            16 => {
                let a = self.expr(ty);
                let b = self.expr_known(ty);
                let op = *self.random.pick(&["add", "sub", "mul"]);
                if self.random.chance(50) {
                    return self.method(ty, a, &format!("saturating_{op}"), vec![b]);
                }
                value(ty).node(self.method(ty, a, &format!("overflowing_{op}"), vec![b])).text(".0")
            }
            17..=19 => self.cast(ty),
            20 => {
                let a = self.expr(ty);
                let b = self.expr_known(ty);
                let b = if self.random.chance(95) { value(ty).text("(").node(b).text(" | 1)") } else { b };
                let name = *self.random.pick(&["rem_euclid", "div_euclid", "wrapping_div", "wrapping_rem"]);
                self.method(ty, a, name, vec![b])
            }
            21 => {
                let a = self.expr(ty);
                match self.random.below(5) {
                    0 => self.method(ty, a, "swap_bytes", vec![]),
                    1 => self.method(ty, a, "reverse_bits", vec![]),
                    n => {
                        let b = self.expr_known(&U32);
                        let name = ["rotate_left", "rotate_right", "pow"][n - 2];
                        let b = if n == 4 { value(&U32).text("(").node(b).text(" & 3)") } else { b };
                        self.method(ty, a, name, vec![b])
                    }
                }
            }
            22 if *ty == U32 => {
                let of = self.int();
                let a = self.expr(&Ty::Int(of));
                let names = ["count_ones", "count_zeros", "leading_zeros", "trailing_zeros"];
                let name = *self.random.pick(&names);
                self.method(ty, a, name, vec![])
            }
            22 if *ty == USIZE => self.length(ty),
            22 if *ty == I64 && self.random.chance(60) => self.weight(),
            22 if *ty == I64 => self.shape(ty),
            _ => {
                let a = self.expr(ty);
                let high = self.number(ty, true);
                // Limits in the wrong order are a panic.
                let low = if self.random.chance(90) { value(ty).text("0") } else { self.number(ty, true) };
                self.method(ty, a, "clamp", vec![low, high])
            }
        }
    }

    /// Two operands of the same type; the type of one says that of the other.
    fn operands(&mut self, ty: &Ty, known: bool) -> (Node, Node) {
        self.known = known;
        let a = self.expr(ty);
        (a, self.expr_known(ty))
    }

    fn shift(&mut self, ty: &Ty, int: Int, known: bool) -> Node {
        self.known = known;
        let a = self.expr(ty);
        let by = Ty::Int(*self.random.pick(INTS));
        let op = *self.random.pick(&["<<", ">>"]);
        let b = self.expr(&by);
        match self.random.below(20) {
            0 => self.binary(ty, a, op, b),
            1 | 2 => {
                let name = *self.random.pick(&["wrapping_shl", "wrapping_shr"]);
                let b = value(&U32).text("(").node(b).text(" as u32)");
                self.method(ty, a, name, vec![b])
            }
            _ => {
                let b = value(&by).text("(").node(b).text(format!(" & {})", int.bits - 1));
                self.binary(ty, a, op, b)
            }
        }
    }

    fn cast(&mut self, ty: &Ty) -> Node {
        let from = match self.random.below(8) {
            0 => Ty::Bool,
            1 => Ty::Char,
            2 => Ty::F64,
            3 => Ty::F32,
            4 => {
                let count = self.types.0.len();
                let fieldless = (0..count).filter(|&n| self.types.0[n].is_fieldless()).collect::<Vec<_>>();
                if fieldless.is_empty() { Ty::Bool } else { Ty::Named(*self.random.pick(&fieldless)) }
            }
            _ => Ty::Int(self.int()),
        };
        let a = self.expr(&from);
        value(ty).text("(").node(a).text(format!(" as {})", self.types.name(ty)))
    }

    fn length(&mut self, ty: &Ty) -> Node {
        let all = self.places(false, &|c| {
            matches!(c, Content::Slice(_) | Content::Vec(_) | Content::Value(Ty::Array(..)))
        });
        if all.is_empty() {
            return self.leaf(ty, false);
        }
        let found = all[self.random.below(all.len())].clone();
        value(ty).node(self.place(&found)).text(".len()")
    }

    fn float_expr(&mut self, ty: &Ty, known: bool) -> Node {
        match self.random.below(10) {
            0..=4 => {
                let (a, b) = self.operands(ty, known);
                let op = *self.random.pick(&["+", "-", "*", "/", "%"]);
                self.binary(ty, a, op, b)
            }
            5 => {
                let a = self.expr(ty);
                value(ty).text("(-").node(a).text(")")
            }
            6 => {
                let a = self.expr(ty);
                let name = *self.random.pick(&["sqrt", "abs", "floor", "ceil", "trunc"]);
                self.method(ty, a, name, vec![])
            }
            _ => {
                let from = match self.random.below(4) {
                    0 => Ty::F32,
                    1 => Ty::F64,
                    _ => Ty::Int(self.int()),
                };
                let a = self.expr(&from);
                value(ty).text("(").node(a).text(format!(" as {})", self.types.name(ty)))
            }
        }
    }

    fn bool_expr(&mut self) -> Node {
        let ty = &Ty::Bool;
        match self.random.below(14) {
            0..=5 => {
                let of = self.scalar();
                let a = self.expr(&of);
                let b = self.expr_known(&of);
                let op = *self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
                self.binary(ty, a, op, b)
            }
            6 | 7 => {
                let a = self.expr(ty);
                let b = self.expr(ty);
                let op = *self.random.pick(&["&&", "||", "&", "|", "^"]);
                self.binary(ty, a, op, b)
            }
            8 => value(ty).text("(!").node(self.expr(ty)).text(")"),
            9 => {
                // Operators on aggregates borrow their operands.
                let of = self.ty(2);
                let (a, b) = self.purely(|g| (g.expr(&of), g.expr(&of)));
                let op = *self.random.pick(&["==", "!=", "<", ">="]);
                self.binary(ty, a, op, b)
            }
            10 => self.matches(ty),
            11 => {
                let inner = self.ty(1);
                let of = self.expr(&Ty::Option(Box::new(inner)));
                let name = *self.random.pick(&["is_some", "is_none"]);
                self.method(ty, of, name, vec![])
            }
            12 => {
                let a = self.expr(&Ty::F64);
                self.method(ty, a, "is_nan", vec![])
            }
            _ => {
                let int = Ty::Int(self.int());
                let a = self.expr(&int);
                let b = self.expr_known(&int);
                let op = *self.random.pick(&["add", "sub", "mul"]);
                value(ty).node(self.method(ty, a, &format!("overflowing_{op}"), vec![b])).text(".1")
            }
        }
    }

    fn matches(&mut self, ty: &Ty) -> Node {
        let of = self.ty(2);
        let scrutinee = self.expr(&of);
        self.scoped(|g| {
            let mut bound = Bound::default();
            let pattern = g.pattern(&of, Mode::Value, true, 3, &mut bound);
            let node =
                value(ty).text("matches!(").node(scrutinee).text(format!(", {pattern}")).declaring(bound.0);
            if g.random.chance(60) {
                return node.text(")");
            }
            let guard = g.purely(|g| g.expr(&Ty::Bool));
            node.text(" if ").node(guard).text(")")
        })
    }

    fn option_expr(&mut self, ty: &Ty, inner: &Ty) -> Node {
        if let Ty::Int(_) = inner {
            if self.random.chance(50) {
                let a = self.expr(inner);
                let b = self.expr_known(inner);
                let op = *self.random.pick(&["add", "sub", "mul", "div", "rem"]);
                return self.method(ty, a, &format!("checked_{op}"), vec![b]);
            }
        }
        match self.random.below(4) {
            0 => {
                let from = self.ty(1);
                let a = self.expr(&Ty::Option(Box::new(from.clone())));
                let f = self.closure(&[from], inner);
                self.method(ty, a, "map", vec![f])
            }
            1 => {
                let a = self.expr(ty);
                let f = self.closure(&[], ty);
                self.method(ty, a, "or_else", vec![f])
            }
            2 => {
                let a = self.expr(ty);
                let from = inner.clone();
                let f = self.closure(&[from], ty);
                self.method(ty, a, "and_then", vec![f])
            }
            _ => {
                let all =
                    self.places(false, &|c| matches!(c, Content::Slice(t) | Content::Vec(t) if t == inner));
                if all.is_empty() {
                    return self.construct(ty, &mut |g, ty| g.expr(ty));
                }
                let found = all[self.random.below(all.len())].clone();
                let place = self.place(&found);
                let index = self.purely(|g| g.expr(&USIZE));
                let index =
                    if self.random.chance(70) { value(&USIZE).node(index).text(" % 5") } else { index };
                value(ty).node(place).text(".get(").node(index).text(").copied()")
            }
        }
    }

    fn from_option(&mut self, ty: &Ty, _known: bool) -> Node {
        let option = Ty::Option(Box::new(ty.clone()));
        let a = self.expr(&option);
        match self.random.below(12) {
            0..=7 => {
                let b = self.expr(ty);
                self.method(ty, a, "unwrap_or", vec![b])
            }
            8 => {
                let f = self.closure(&[], ty);
                self.method(ty, a, "unwrap_or_else", vec![f])
            }
            9 | 10 => {
                let b = self.expr(ty);
                let f = self.closure(&[ty.clone()], ty);
                self.method(ty, a, "map_or", vec![b, f])
            }
            _ => match self.random.below(2) {
                0 => self.method(ty, a, "unwrap", vec![]),
                _ => self.method(ty, a, "expect", vec![Node::new(Role::Fixed).text("\"there is one\"")]),
            },
        }
    }

    fn from_aggregate(&mut self, ty: &Ty) -> Node {
        match self.random.below(3) {
            0 => {
                let other = self.ty(1);
                let all = vec![self.expr(ty), self.expr(&other)];
                value(ty).text("(").joined(all, ", ").text(").0")
            }
            1 => {
                let n = 2 + self.random.below(2);
                let all = (0..n).map(|_| self.expr(ty)).collect();
                let index = self.expr_known(&USIZE);
                value(ty).text("[").joined(all, ", ").text("][(").node(index).text(format!(") % {n}]"))
            }
            _ => value(ty).text("(").node(self.expr(&Ty::Wrap(Box::new(ty.clone())))).text(").get()"),
        }
    }

    /// `mem::replace`.
    fn replaced(&mut self, ty: &Ty, known: bool) -> Node {
        let Some((root, place)) = self.some_place(true, &Content::Value(ty.clone())) else {
            return self.leaf(ty, known);
        };
        self.lock(root, true);
        let new = self.expr_known(ty);
        self.unlock(root, true);
        value(ty).text("std::mem::replace(&mut ").node(place).text(", ").node(new).text(")")
    }

    /// `?` in a function whose result allows it.
    fn question(&mut self, ty: &Ty, known: bool) -> Node {
        let of = match self.frame.ret.clone() {
            Ty::Option(_) => Ty::Option(Box::new(ty.clone())),
            Ty::Result(_, err) => Ty::Result(Box::new(ty.clone()), err),
            _ => return self.leaf(ty, known),
        };
        let a = self.expr(&of);
        value(ty).text("(").node(a).text(")?").using([self.frame.ret_id])
    }

    fn if_value(&mut self, ty: &Ty) -> Node {
        let (cond, bound, count) = self.condition();
        let then = self.block(ty, 1);
        self.vars.truncate(count);
        let node = value(ty).text("if ").node(cond).text(" ").node(then).declaring(bound);
        let other = if self.random.chance(20) {
            let (cond, bound, count) = self.condition();
            let then = self.block(ty, 0);
            self.vars.truncate(count);
            let last = self.block(ty, 0);
            value(ty).text("if ").node(cond).text(" ").node(then).declaring(bound).text(" else ").node(last)
        } else {
            self.block(ty, 1)
        };
        value(ty).text("(").node(node.text(" else ").node(other)).text(")")
    }

    /// A condition, perhaps a chain with `let`; what it declares; and how many variables there were before.
    pub fn condition(&mut self) -> (Node, Vec<crate::tree::Id>, usize) {
        let count = self.vars.len();
        if self.random.chance(65) {
            return (self.expr(&Ty::Bool), Vec::new(), count);
        }
        let mut node = Node::new(Role::Fixed);
        let mut all = Vec::new();
        let links = 1 + self.random.below(3);
        for n in 0..links {
            if n > 0 {
                node = node.text(" && ");
            }
            if n > 0 && self.random.chance(40) {
                node = node.node(self.expr(&Ty::Bool));
                continue;
            }
            let of = if self.random.chance(60) { Ty::Option(Box::new(self.ty(1))) } else { self.ty(2) };
            let scrutinee = self.expr(&of);
            let mut bound = Bound::default();
            let pattern = self.pattern(&of, Mode::Value, true, 3, &mut bound);
            node = node.text(format!("let {pattern} = (")).node(scrutinee).text(")");
            all.extend(bound.0);
        }
        (node, all, count)
    }

    fn block_value(&mut self, ty: &Ty) -> Node {
        let statements = 1 + self.random.below(2);
        if self.pure {
            return self.leaf(ty, false);
        }
        self.block(ty, statements)
    }

    /// A labelled block or loop that is left with a value.
    fn labelled(&mut self, ty: &Ty) -> Node {
        let id = self.id();
        let is_loop = self.random.chance(50) && self.times < 40;
        self.frame.targets.push(Target { id, value: Some(ty.clone()), is_loop });
        let node = if is_loop {
            let turns = 1 + self.random.below(4);
            self.times *= turns;
            let count = format!("n{}", id.0);
            let body = self.block(&Ty::Unit, 2);
            self.times /= turns;
            let last = self.expr(ty);
            value(ty)
                .text(format!(
                    "{{ let mut {count} = 0; 'l{0}: loop {{ if {count} >= {turns} {{ break 'l{0} ",
                    id.0
                ))
                .node(last)
                .text(format!("; }} {count} += 1; "))
                .node(body)
                .text(" } }")
        } else {
            let body = self.block(ty, 2);
            value(ty).text(format!("'l{}: ", id.0)).node(body)
        };
        self.frame.targets.pop();
        node.declaring([id])
    }

    /// A match with a value.
    pub fn match_value(&mut self, ty: &Ty) -> Node {
        let of = self.ty(2);
        let scrutinee = match self.random.chance(50) {
            true => self.read(&of),
            false => None,
        };
        let scrutinee = scrutinee.unwrap_or_else(|| self.expr(&of));
        let node = value(ty).text("match ").node(value(&of).text("(").node(scrutinee).text(")")).text(" {");
        let arms = self.arms(&of, ty, Mode::Value);
        node.list(arms).text("\n}")
    }

    /// The arms of a match on this type.
    pub fn arms(&mut self, of: &Ty, ty: &Ty, mode: Mode) -> Vec<Node> {
        let mut arms = Vec::new();
        for _ in 0..self.random.below(4) {
            arms.push(self.scoped(|g| {
                let mut bound = Bound::default();
                let pattern = g.pattern(of, mode, true, 3, &mut bound);
                let node = Node::new(Role::Arm).text(pattern).declaring(bound.0);
                let node = if g.random.chance(25) {
                    let guard = g.purely(|g| g.expr(&Ty::Bool));
                    node.text(" if ").node(guard)
                } else {
                    node
                };
                g.arm(node, ty)
            }));
        }
        // The rest: every variant, or anything.
        let heads: Vec<(String, crate::types::Fields)> = match of {
            Ty::Option(inner) => {
                let one = crate::types::Fields { named: false, tys: vec![(**inner).clone()] };
                let none = crate::types::Fields { named: false, tys: vec![] };
                vec![("Some".to_string(), one), ("None".to_string(), none)]
            }
            Ty::Result(ok, err) => {
                let one = |ty: &Ty| crate::types::Fields { named: false, tys: vec![ty.clone()] };
                vec![("Ok".to_string(), one(ok)), ("Err".to_string(), one(err))]
            }
            Ty::Named(n) => match &self.types.0[*n] {
                TypeDef::Enum { name, variants, .. } => {
                    variants.iter().map(|v| (format!("{name}::{}", v.name), v.fields.clone())).collect()
                }
                TypeDef::Struct { .. } => Vec::new(),
            },
            _ => Vec::new(),
        };
        if heads.is_empty() || self.random.chance(30) {
            arms.push(self.scoped(|g| {
                let mut bound = Bound::default();
                let pattern = g.pattern(of, mode, false, 2, &mut bound);
                g.arm(Node::new(Role::Fixed).text(pattern).declaring(bound.0), ty)
            }));
            return arms;
        }
        for (head, fields) in heads {
            arms.push(self.scoped(|g| {
                let mut bound = Bound::default();
                let pattern = g.fields_pattern(&head, &fields, mode, false, 2, &mut bound);
                g.arm(Node::new(Role::Fixed).text(pattern).declaring(bound.0), ty)
            }));
        }
        arms
    }

    fn arm(&mut self, node: Node, ty: &Ty) -> Node {
        let node = node.text(" => ");
        if self.random.chance(35) && !self.pure {
            return node.node(self.block(ty, 1)).text(",");
        }
        node.node(self.expr(ty)).text(",")
    }
}

/// The name of a field in an expression with braces.
fn field_name(fields: &crate::types::Fields, n: usize) -> String {
    if fields.named { format!("f{n}") } else { n.to_string() }
}
