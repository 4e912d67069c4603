//! Calls: of functions and methods made for it, of closures, of the hand-written generic functions.

use crate::case::{Function, Param, ParamKind};
use crate::gen_state::{Content, Frame, Gen};
use crate::tree::{Id, Node, Role};
use crate::types::{I64, Ty, U8};

/// How many nodes a turn of the program executes at most, about.
const COST: usize = 3000;

fn value(ty: &Ty) -> Node {
    Node::new(Role::Value(ty.clone()))
}

impl Gen {
    /// A call that gives this type: of a new function or of one that is there.
    pub fn call(&mut self, ty: &Ty) -> Node {
        let candidates: Vec<usize> = (0..self.functions.len())
            .filter(|&n| {
                let f = &self.functions[n];
                f.ret == *ty && f.cost * self.times + self.cost < COST && self.callable(f)
            })
            .collect();
        let new = candidates.is_empty() || self.random.chance(40);
        let number = if new {
            if !self.may_add_function() {
                return self.leaf(ty, false);
            }
            self.add_function(ty)
        } else {
            candidates[self.random.below(candidates.len())]
        };
        self.call_of(number)
    }

    fn callable(&self, f: &Function) -> bool {
        let trait_impl = f.owner.as_ref().is_some_and(|o| o.contains(" for "));
        let writes = f.params.iter().any(|p| matches!(p.content, Some(ParamKind::Reference(_, true))));
        !trait_impl && f.params.iter().all(|p| p.content.is_some()) && !(writes && self.pure)
    }

    fn add_function(&mut self, ret: &Ty) -> usize {
        let mut kinds: Vec<ParamKind> = Vec::new();
        let named = !self.types.0.is_empty() && self.random.chance(30);
        if named {
            let ty = Ty::Named(self.random.below(self.types.0.len()));
            kinds.push(match self.random.below(3) {
                0 => ParamKind::Value(ty),
                1 => ParamKind::Reference(Content::Value(ty), false),
                _ => ParamKind::Reference(Content::Value(ty), !self.pure),
            });
        }
        if self.random.chance(20) {
            kinds.push(ParamKind::Owned(self.own()));
        }
        for _ in 0..self.random.below(5) {
            let mutable = self.random.chance(50) && !self.pure;
            kinds.push(match self.random.below(8) {
                0 => ParamKind::Reference(Content::Slice(self.ty(1)), mutable),
                1 => ParamKind::Reference(Content::Vec(self.ty(1)), mutable),
                2 | 3 => ParamKind::Reference(Content::Value(self.ty(2)), mutable),
                _ => ParamKind::Value(self.ty(2)),
            });
        }
        let id = self.id();
        let fuel = 8 + self.random.below(25);
        let ((params, body), cost) = self.in_function(ret, fuel, |g, ret_id| {
            let mut all = vec![ret_id];
            let params = (kinds.iter().enumerate())
                .map(|(n, kind)| {
                    let (param, id) = g.parameter(kind, named && n == 0);
                    all.push(id);
                    param
                })
                .collect::<Vec<Param>>();
            let statements = g.random.below(4);
            let body = g.block(ret, statements);
            (params, body.declaring(all))
        });
        let mut function = Function::new(id, &format!("f{}", id.0), params, ret.clone(), body, cost);
        if named {
            if let Some(ParamKind::Value(ty) | ParamKind::Reference(Content::Value(ty), _)) = kinds.first() {
                function.owner = Some(format!("impl {}", self.types.name(ty)));
            }
        }
        if self.random.chance(6) {
            function.attributes.push("#[jit::dont_look_inside]");
        }
        self.functions.push(function);
        self.functions.len() - 1
    }

    fn parameter(&mut self, kind: &ParamKind, receiver: bool) -> (Param, Id) {
        let name = if receiver { "self".to_string() } else { format!("v{}", self.next + 1) };
        let content_name = |g: &Gen, content: &Content| match content {
            Content::Value(ty) => g.types.name(ty),
            Content::Slice(ty) => format!("[{}]", g.types.name(ty)),
            Content::Vec(ty) => format!("Vec<{}>", g.types.name(ty)),
        };
        let (text, path, content, writable) = match kind {
            ParamKind::Owned(own) => {
                let (id, name) = self.owner(*own);
                return (
                    Param { text: format!("mut {name}: {}", own.name()), content: Some(kind.clone()) },
                    id,
                );
            }
            ParamKind::Value(ty) => {
                let text = if receiver {
                    "mut self".to_string()
                } else {
                    format!("mut {name}: {}", self.types.name(ty))
                };
                (text, name, Content::Value(ty.clone()), true)
            }
            ParamKind::Reference(content, mutable) => {
                let borrow = if *mutable { "&mut " } else { "&" };
                let text = match receiver {
                    true => format!("{borrow}self"),
                    false => format!("{name}: {borrow}{}", content_name(self, content)),
                };
                let path = format!("(*{name})");
                (text, path, content.clone(), *mutable)
            }
        };
        let id = self.declare(path, content, writable);
        (Param { text, content: Some(kind.clone()) }, id)
    }

    fn call_of(&mut self, number: usize) -> Node {
        let f = &self.functions[number];
        let (id, ret, name, owner) = (f.id, f.ret.clone(), f.name.clone(), f.owner.clone());
        let kinds: Vec<ParamKind> = f.params.iter().filter_map(|p| p.content.clone()).collect();
        self.cost += f.cost * self.times;
        let mut locked = Vec::new();
        let mut args = Vec::new();
        for kind in &kinds {
            args.push(match kind {
                ParamKind::Value(ty) => self.expr_known(ty),
                ParamKind::Owned(own) => self.owned(*own, 2),
                ParamKind::Reference(content, mutable) => {
                    let (root, node) = self.reference(content, *mutable);
                    locked.extend(root.map(|root| (root, *mutable)));
                    node
                }
            });
        }
        // What is borrowed for an argument was readable by the arguments before it only.
        locked.into_iter().for_each(|(root, mutable)| self.unlock(root, mutable));
        let node = value(&ret).using([id]);
        match owner {
            Some(_) if self.random.chance(80) => {
                let mut receiver = args.remove(0);
                if kinds.first().is_some_and(|k| matches!(k, ParamKind::Reference(..)))
                    && self.random.chance(60)
                {
                    // Borrowed by the call itself.
                    receiver.parts.remove(0);
                }
                node.text("(").node(receiver).text(format!(").{name}(")).joined(args, ", ").text(")")
            }
            Some(owner) => {
                let ty = owner.trim_start_matches("impl ");
                node.text(format!("{ty}::{name}(")).joined(args, ", ").text(")")
            }
            None => node.text(format!("{name}(")).joined(args, ", ").text(")"),
        }
    }

    /// A closure that may change nothing outside.
    pub fn closure(&mut self, params: &[Ty], ret: &Ty) -> Node {
        self.purely(|g| g.any_closure(params, ret))
    }

    /// A closure; it may write what the code around may.
    fn any_closure(&mut self, params: &[Ty], ret: &Ty) -> Node {
        let ret_id = self.id();
        let frame =
            Frame { ret: ret.clone(), ret_id, targets: Vec::new(), in_closure: true, owners: Vec::new() };
        let frame = std::mem::replace(&mut self.frame, frame);
        let node = self.scoped(|g| {
            let mut texts = Vec::new();
            let mut all = vec![ret_id];
            for ty in params {
                let (id, name) = g.variable(ty, false);
                all.push(id);
                texts.push(format!("{name}: {}", g.types.name(ty)));
            }
            let node = Node::new(Role::Fixed).declaring(all).text(format!("|{}| ", texts.join(", ")));
            match g.random.below(3) {
                0 if !g.pure => node.text(format!("-> {} ", g.types.name(ret))).node(g.block(ret, 1)),
                _ => node.node(g.expr(ret)),
            }
        });
        self.frame = frame;
        node
    }

    /// A closure that is called at once, or by a generic function.
    pub fn closure_now(&mut self, ty: &Ty) -> Node {
        let param = self.ty(1);
        match self.random.below(4) {
            0 => {
                let f = self.closure(&[param.clone()], ty);
                let arg = self.purely(|g| g.expr(&param));
                value(ty).text("apply(").node(f).text(", ").node(arg).text(")")
            }
            1 => {
                let f = self.any_closure(&[], ty);
                value(ty).text("apply_once(").node(f).text(")")
            }
            2 => {
                let f = self.any_closure(&[ty.clone()], ty);
                let arg = self.purely(|g| g.closed(ty));
                value(ty).text("apply_twice(").node(f).text(", ").node(arg).text(")")
            }
            _ => {
                let f = self.any_closure(&[param.clone()], ty);
                let arg = self.purely(|g| g.closed(&param));
                value(ty).text("(").node(f).text(")(").node(arg).text(")")
            }
        }
    }

    /// A value that reads no variable, for where a closure has borrowed any of them.
    fn closed(&mut self, ty: &Ty) -> Node {
        let mut node = self.literal(ty);
        node.suffix();
        node
    }

    /// The hand-written generic functions.
    pub fn library(&mut self, ty: &Ty, known: bool) -> Node {
        match self.random.below(3) {
            0 => {
                let (a, b) = (self.expr(ty), self.expr(ty));
                value(ty).text("largest(").node(a).text(", ").node(b).text(")")
            }
            1 => value(ty).text("opaque(").node(self.expr(ty)).text(")"),
            _ if *ty == U8 => {
                let (a, b) = (self.expr(&I64), self.expr(&I64));
                let first = self.expr(&Ty::Bool);
                value(ty).text("sides(").joined(vec![a, b, first], ", ").text(")")
            }
            _ => self.leaf(ty, known),
        }
    }

    /// Something measured through a trait.
    pub fn shape(&mut self, ty: &Ty) -> Node {
        if self.random.chance(25) {
            let of = [Ty::Int(crate::types::INTS[6]), Ty::Int(crate::types::INTS[1]), crate::types::I32];
            let of = self.random.pick(&of).clone();
            let n = 1 + self.random.below(4);
            let all = self.expr(&Ty::Array(Box::new(of), n));
            return value(ty).text("total(").node(all).text(")");
        }
        let mut shapes = vec![I64, Ty::Bool, Ty::Option(Box::new(I64)), Ty::Option(Box::new(Ty::Bool))];
        let own = self.functions.iter().filter_map(|f| f.owner.as_ref()?.strip_prefix("impl Shape for "));
        let own: Vec<String> = own.map(str::to_string).collect();
        shapes.extend(
            (0..self.types.0.len())
                .filter(|&n| own.iter().any(|o| o == self.types.0[n].name()))
                .map(Ty::Named),
        );
        let of = self.random.pick(&shapes).clone();
        let a = self.purely(|g| g.expr(&of));
        let by = self.purely(|g| g.expr_known(&I64));
        match self.random.below(3) {
            0 => value(ty).text("measure(&").node(a).text(", ").node(by).text(")"),
            1 => value(ty).text("(").node(a).text(").twice(").node(by).text(")"),
            _ => value(ty)
                .text(format!("<{} as Shape>::area(&", self.types.name(&of)))
                .node(a)
                .text(", ")
                .node(by)
                .text(")"),
        }
    }

    /// Implements the trait for some of the case's types.
    pub fn shapes(&mut self) {
        for n in 0..self.types.0.len() {
            if !self.random.chance(40) {
                continue;
            }
            let ty = Ty::Named(n);
            let head = format!("impl Shape for {}", self.types.name(&ty));
            let factor = self.random.below(100);
            let id = self.id();
            let ((body, params), cost) = self.in_function(&I64, 12, |g, ret_id| {
                let (receiver, a) =
                    g.parameter(&ParamKind::Reference(Content::Value(ty.clone()), false), true);
                let (by, b) = g.parameter(&ParamKind::Value(I64), false);
                let body = g.block(&I64, 1);
                (body.declaring([ret_id, a, b]), vec![receiver, by])
            });
            let mut function = Function::new(id, "area", params, I64, body, cost);
            let side = "fn side(&self) -> bool { true }";
            function.owner = Some(head);
            function.extra = format!("const FACTOR: i64 = {factor};\ntype Side = bool;\n{side}\n");
            self.functions.push(function);
        }
    }
}
