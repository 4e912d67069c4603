//! Blocks and statements.

use crate::gen_state::{Content, Gen, Target};
use crate::pattern::{Bound, Mode};
use crate::tree::{Id, Node, Role};
use crate::types::{INTS, Int, Ty, USIZE};

fn statement() -> Node {
    Node::new(Role::Statement)
}

impl Gen {
    /// A block with this many statements, or a few more.
    pub fn block(&mut self, ty: &Ty, statements: usize) -> Node {
        let node = Node::new(Role::Value(ty.clone()));
        // Statements would write; a block in pure code is a value only.
        let statements = if self.pure { 0 } else { statements };
        self.depth += 1;
        let node = self.scoped(|g| {
            let mut all = Vec::new();
            for _ in 0..statements {
                if g.fuel == 0 {
                    break;
                }
                all.push(g.statement());
            }
            let node = node.text("{").list(all);
            if *ty == Ty::Unit {
                return node.text(" }");
            }
            let tail = g.expr(ty);
            node.text("\n").node(tail).text(" }")
        });
        self.depth -= 1;
        node
    }

    /// A statement; what it declares stays in scope.
    pub fn statement(&mut self) -> Node {
        self.fuel = self.fuel.saturating_sub(1);
        if self.depth > 6 {
            return self.assign();
        }
        match self.random.below(46) {
            40..=45 => self.owning(),
            0..=8 => self.let_statement(),
            9..=14 => self.assign(),
            15..=18 => self.compound(),
            19..=21 => self.if_statement(),
            22..=24 => self.loop_statement(),
            25..=27 => self.match_statement(),
            28 | 29 => self.borrow(),
            30 | 31 => self.leave(),
            32 | 33 => self.vector(),
            34 => self.swap(),
            35 => self.let_else(),
            36 => self.iterate(),
            37 => self.named_closure(),
            38 => self.check(),
            _ => {
                let ty = self.ty(2);
                let node = self.call(&ty);
                statement().text("let _ = ").node(node).text(";")
            }
        }
    }

    fn let_statement(&mut self) -> Node {
        let ty = self.ty(2);
        let value = self.expr_known(&ty);
        let name = self.types.name(&ty);
        if self.random.chance(35) {
            let mut bound = Bound::default();
            let pattern = self.pattern(&ty, Mode::Value, false, 3, &mut bound);
            return statement()
                .text(format!("let {pattern}: {name} = "))
                .node(value)
                .text(";")
                .declaring(bound.0);
        }
        if self.random.chance(15) {
            // Declared first, given a value on two ways.
            let (id, text) = self.variable(&ty, true);
            let cond = self.purely(|g| {
                g.lock(id, true);
                let cond = g.expr(&Ty::Bool);
                g.unlock(id, true);
                cond
            });
            return statement()
                .text(format!("let mut {text}: {name}; if "))
                .node(cond)
                .text(format!(" {{ {text} = "))
                .node(value)
                .text(format!("; }} else {{ {text} = {}; }}", self.types.default(&ty)))
                .declaring([id]);
        }
        let shadow = self.shadowed();
        let mut value = value;
        let id = self.id();
        let text = match shadow {
            Some(path) => path,
            None => format!("v{}", id.0),
        };
        let path = text.clone();
        self.vars.push(crate::gen_state::Var {
            id,
            path,
            content: Content::Value(ty.clone()),
            writable: true,
            shared: 0,
            unique: 0,
        });
        let annotation = if self.random.chance(50) {
            format!(": {name}")
        } else {
            value.suffix();
            String::new()
        };
        statement().text(format!("let mut {text}{annotation} = ")).node(value).text(";").declaring([id])
    }

    /// The name of a variable that another one may take; it is in scope no more.
    fn shadowed(&mut self) -> Option<String> {
        if !self.random.chance(12) {
            return None;
        }
        // Only where the shadowed one was declared in the same block would the name come back too early.
        let last = self.vars.last()?;
        let plain = last.path.starts_with('v') && last.unique == 0 && last.shared == 0;
        if !plain || self.frame.in_closure {
            return None;
        }
        let path = last.path.clone();
        self.vars.last_mut()?.unique += 1;
        Some(path)
    }

    /// A place to write to, and its type.
    fn target(&mut self, wanted: &dyn Fn(&Ty) -> bool) -> Option<(Id, Node, Ty)> {
        let all = self.places(true, &|c| matches!(c, Content::Value(ty) if wanted(ty)));
        if all.is_empty() {
            return None;
        }
        let found = all[self.random.below(all.len())].clone();
        let Content::Value(ty) = found.content.clone() else { return None };
        let place = self.place(&found);
        Some((found.root, place, ty))
    }

    fn assign(&mut self) -> Node {
        let Some((_, place, ty)) = self.target(&|_| true) else { return self.let_statement() };
        let value = self.expr_known(&ty);
        statement().node(place).text(" = ").node(value).text(";")
    }

    fn compound(&mut self) -> Node {
        let Some((_, place, ty)) = self.target(&|ty| matches!(ty, Ty::Int(_) | Ty::F32 | Ty::F64 | Ty::Bool))
        else {
            return self.assign();
        };
        let op = match ty {
            Ty::Bool => *self.random.pick(&["&=", "|=", "^="]),
            Ty::Int(Int { bits, .. }) if self.random.chance(20) => {
                let by = Ty::Int(*self.random.pick(INTS));
                let b = self.expr(&by);
                let op = *self.random.pick(&["<<=", ">>="]);
                return statement()
                    .node(place)
                    .text(format!(" {op} "))
                    .node(b)
                    .text(format!(" & {};", bits - 1));
            }
            Ty::Int(_) if self.random.chance(7) => *self.random.pick(&["+=", "-=", "*=", "/=", "%="]),
            Ty::Int(_) => *self.random.pick(&["&=", "|=", "^="]),
            _ => *self.random.pick(&["+=", "-=", "*=", "/="]),
        };
        let value = self.expr_known(&ty);
        statement().node(place).text(format!(" {op} ")).node(value).text(";")
    }

    fn if_statement(&mut self) -> Node {
        let (cond, bound, count) = self.condition();
        let statements = 1 + self.random.below(3);
        let then = self.block(&Ty::Unit, statements);
        self.vars.truncate(count);
        let node = statement().text("if ").node(cond).text(" ").node(then).declaring(bound);
        if self.random.chance(50) {
            return node;
        }
        let other = self.block(&Ty::Unit, 1);
        node.text(" else ").node(other)
    }

    fn loop_statement(&mut self) -> Node {
        if self.times > 24 {
            return self.assign();
        }
        let id = self.id();
        let turns = 1 + self.random.below(5);
        self.times *= turns;
        self.frame.targets.push(Target { id, value: None, is_loop: true });
        let statements = 1 + self.random.below(3);
        let node = match self.random.below(3) {
            0 => {
                let cond = self.purely(|g| g.expr(&Ty::Bool));
                let count = format!("n{}", id.0);
                let body = self.block(&Ty::Unit, statements);
                statement()
                    .text(format!("let mut {count} = 0; 'l{}: while {count} < {turns} && ", id.0))
                    .node(cond)
                    .text(format!(" {{ {count} += 1; "))
                    .node(body)
                    .text(" }")
            }
            1 => {
                let count = format!("n{}", id.0);
                let body = self.block(&Ty::Unit, statements);
                statement()
                    .text(format!("let mut {count} = 0u32; 'l{}: loop {{ if {count} == {turns} {{ break; }} {count} += 1; ", id.0))
                    .node(body)
                    .text(" }")
            }
            _ => {
                let int = self.int();
                let low = self.random.below(3) as i64 - if int.signed { 2 } else { 0 };
                let high = low + turns as i64;
                let range = match self.random.below(4) {
                    0 => format!("{low}{}..={}", int.name, high - 1),
                    1 => format!("({low}..{high}{}).rev()", int.name),
                    _ => format!("{low}..{high}{}", int.name),
                };
                let (var, name) = self.variable(&Ty::Int(int), false);
                let body = self.block(&Ty::Unit, statements);
                self.vars.pop();
                statement().text(format!("'l{}: for {name} in {range} ", id.0)).node(body).declaring([var])
            }
        };
        self.frame.targets.pop();
        self.times /= turns;
        node.declaring([id])
    }

    /// A loop over a slice or vector.
    fn iterate(&mut self) -> Node {
        let write = self.random.chance(50);
        let all = self.places(write, &|c| match c {
            Content::Slice(_) | Content::Vec(_) => true,
            Content::Value(ty) => matches!(ty, Ty::Array(..)),
        });
        if all.is_empty() || self.times > 16 {
            return self.assign();
        }
        let found = all[self.random.below(all.len())].clone();
        let (Content::Slice(ty) | Content::Vec(ty)) = found.content.clone() else {
            return self.iterate_array(found, write);
        };
        self.iterate_over(found, &ty, write)
    }

    fn iterate_array(&mut self, found: crate::place::Found, write: bool) -> Node {
        match found.content.clone() {
            Content::Value(Ty::Array(ty, _)) => self.iterate_over(found, &ty, write),
            _ => self.assign(),
        }
    }

    fn iterate_over(&mut self, found: crate::place::Found, ty: &Ty, write: bool) -> Node {
        let place = self.place(&found);
        let id = self.id();
        self.lock(found.root, write);
        self.times *= 5;
        self.frame.targets.push(Target { id, value: None, is_loop: true });
        let node = self.scoped(|g| {
            let mut all = vec![id];
            let numbered = g.random.chance(40);
            let mut pattern = String::new();
            if numbered {
                let (n, name) = g.variable(&USIZE, false);
                all.push(n);
                pattern = format!("({name}, ");
            }
            let name = format!("v{}", g.next + 1);
            all.push(g.declare(format!("(*{name})"), Content::Value(ty.clone()), write));
            pattern.push_str(&name);
            pattern.push_str(if numbered { ")" } else { "" });
            let method = if write { "iter_mut" } else { "iter" };
            let more = match (numbered, g.random.below(4)) {
                (true, 0) if !write => ".enumerate().rev()",
                (true, _) => ".enumerate()",
                (false, 0) if !write => ".rev()",
                (false, 1) => ".take(2)",
                _ => "",
            };
            let more = if more == ".enumerate().rev()" { ".enumerate()" } else { more };
            let statements = 1 + g.random.below(2);
            let body = g.block(&Ty::Unit, statements);
            statement()
                .text(format!("'l{}: for {pattern} in ", id.0))
                .node(place)
                .text(format!(".{method}(){more} "))
                .node(body)
                .declaring(all)
        });
        self.frame.targets.pop();
        self.times /= 5;
        self.unlock(found.root, write);
        node
    }

    fn match_statement(&mut self) -> Node {
        // On a place by reference, or on a value.
        let write = self.random.chance(50);
        let aggregate = |ty: &Ty| {
            matches!(ty, Ty::Named(_) | Ty::Option(_) | Ty::Result(..) | Ty::Tuple(_) | Ty::Array(..))
        };
        let all = self.places(write, &|c| matches!(c, Content::Value(ty) if aggregate(ty)));
        if all.is_empty() || self.random.chance(30) {
            let of = self.ty(2);
            let scrutinee = self.expr(&of);
            let node = statement().text("match (").node(scrutinee).text(") {");
            let arms = self.arms(&of, &Ty::Unit, Mode::Value);
            return node.list(arms).text("\n}");
        }
        let found = all[self.random.below(all.len())].clone();
        let Content::Value(of) = found.content.clone() else { return self.assign() };
        let place = self.place(&found);
        self.lock(found.root, write);
        let (borrow, mode) = if write { ("&mut ", Mode::Unique) } else { ("&", Mode::Shared) };
        let arms = self.arms(&of, &Ty::Unit, mode);
        self.unlock(found.root, write);
        statement().text(format!("match {borrow}")).node(place).text(" {").list(arms).text("\n}")
    }

    /// A block with a reference to a place.
    fn borrow(&mut self) -> Node {
        let write = self.random.chance(70);
        let all = self.places(write, &|c| !matches!(c, Content::Slice(_)));
        if all.is_empty() {
            return self.let_statement();
        }
        let found = all[self.random.below(all.len())].clone();
        let place = self.place(&found);
        self.lock(found.root, write);
        let borrow = if write { "&mut " } else { "&" };
        let node = self.scoped(|g| {
            let name = format!("v{}", g.next + 1);
            let id = g.declare(format!("(*{name})"), found.content.clone(), write);
            let body = g.block(&Ty::Unit, 2);
            statement()
                .text(format!("{{ let {name} = {borrow}"))
                .node(place)
                .text("; ")
                .node(body)
                .text(" }")
                .declaring([id])
        });
        self.unlock(found.root, write);
        node
    }

    /// A jump out, under a condition.
    fn leave(&mut self) -> Node {
        let cond = self.expr(&Ty::Bool);
        let node = statement().text("if ").node(cond);
        let targets = self.frame.targets.clone();
        if targets.is_empty() || self.random.chance(40) {
            let ret = self.frame.ret.clone();
            let ret_id = self.frame.ret_id;
            if ret == Ty::Unit {
                return node.text(" { return; }").using([ret_id]);
            }
            self.known = !self.frame.in_closure;
            let value = self.expr(&ret);
            return node.text(" { return ").node(value).text("; }").using([ret_id]);
        }
        let target = self.random.pick(&targets).clone();
        let label = format!("'l{}", target.id.0);
        let node = node.using([target.id]);
        match target.value {
            _ if target.is_loop && self.random.chance(40) => node.text(format!(" {{ continue {label}; }}")),
            None => node.text(format!(" {{ break {label}; }}")),
            Some(ty) => {
                let value = self.expr(&ty);
                node.text(format!(" {{ break {label} ")).node(value).text("; }")
            }
        }
    }

    /// A change of a vector's length.
    fn vector(&mut self) -> Node {
        let all = self.places(true, &|c| matches!(c, Content::Vec(_)));
        if all.is_empty() {
            return self.assign();
        }
        let found = all[self.random.below(all.len())].clone();
        let Content::Vec(ty) = found.content.clone() else { return self.assign() };
        let place = self.place(&found);
        if self.random.chance(40) {
            let (id, name) = self.variable(&Ty::Option(Box::new(ty)), true);
            return statement()
                .text(format!("let mut {name} = "))
                .node(place)
                .text(".pop();")
                .declaring([id]);
        }
        self.lock(found.root, false);
        let value = self.expr_known(&ty);
        self.unlock(found.root, false);
        statement()
            .text("if ")
            .node(place.clone())
            .text(".len() < 12 { ")
            .node(place)
            .text(".push(")
            .node(value)
            .text("); }")
    }

    fn swap(&mut self) -> Node {
        let ty = self.ty(1);
        let content = Content::Value(ty);
        let Some((root, a)) = self.some_place(true, &content) else { return self.let_statement() };
        self.lock(root, true);
        let b = self.some_place(true, &content);
        self.unlock(root, true);
        let Some((_, b)) = b else { return self.assign() };
        statement().text("std::mem::swap(&mut ").node(a).text(", &mut ").node(b).text(");")
    }

    fn let_else(&mut self) -> Node {
        let ret = self.frame.ret.clone();
        let of = if self.random.chance(60) { Ty::Option(Box::new(self.ty(1))) } else { self.ty(2) };
        let scrutinee = self.expr(&of);
        let other = if ret == Ty::Unit { None } else { Some(self.expr(&ret)) };
        let mut bound = Bound::default();
        let pattern = self.pattern(&of, Mode::Value, true, 3, &mut bound);
        let node = statement()
            .text(format!("let {pattern} = ("))
            .node(scrutinee)
            .text(") else { return ")
            .declaring(bound.0)
            .using([self.frame.ret_id]);
        match other {
            Some(value) => node.node(value).text("; };"),
            None => node.text("; };"),
        }
    }

    /// A closure in a variable, called once or twice while what it writes is locked.
    fn named_closure(&mut self) -> Node {
        let (param, ret) = (self.ty(1), self.ty(1));
        let f = self.closure(&[param.clone()], &ret);
        // It has borrowed what it reads; while it lives nothing may write that.
        let read: Vec<Id> = f.all_uses().into_iter().collect();
        read.iter().for_each(|&id| self.lock(id, false));
        let name = format!("k{}", self.next);
        let closure_id = self.id();
        let arg = self.expr_known(&param);
        let (id, result) = self.variable(&ret, true);
        let call = Node::new(Role::Value(ret.clone())).text(format!("{name}(")).node(arg).text(")");
        read.iter().for_each(|&id| self.unlock(id, false));
        statement()
            .text(format!("let {name} = "))
            .node(f)
            .text(format!("; let mut {result}: {} = ", self.types.name(&ret)))
            .node(call)
            .text(";")
            .declaring([id, closure_id])
    }

    /// A panic, on few inputs.
    fn check(&mut self) -> Node {
        let int = Ty::Int(self.int());
        let (tested, limit) = (self.expr(&int), self.number(&int, true));
        let rare = Node::new(Role::Value(Ty::Bool)).text("(").node(tested).text(" == ").node(limit).text(")");
        let shown = self.purely(|g| g.expr(&int));
        match self.random.below(4) {
            0 => {
                statement().text("assert!(!").node(rare).text(", \"failed with {}\", ").node(shown).text(");")
            }
            1 => {
                let other = self.purely(|g| g.expr(&int));
                statement()
                    .text("if ")
                    .node(rare)
                    .text(" { assert_eq!(")
                    .node(shown)
                    .text(", ")
                    .node(other)
                    .text("); }")
            }
            2 => statement()
                .text("if ")
                .node(rare)
                .text(" { panic!(\"gave up at {}\", ")
                .node(shown)
                .text("); }"),
            _ => statement().text("if ").node(rare).text(" { unreachable!(); }"),
        }
    }
}
