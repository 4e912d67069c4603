//! The state of the generator: what is in scope, how much may still be written, and the functions made so far.
//!
//! In: a seed. Out: a [`Case`]. Well-typedness holds by construction: an expression is made for a type; a place is made of
//! a variable that is visible, readable and, if asked for, writable; a borrow locks its variable until it ends.

use crate::case::{Case, Function, Param};
use crate::owned::Owner;
use crate::random::Random;
use crate::tree::{Id, Node, Part, Role};
use crate::types::{Fields, INTS, Int, Ty, TypeDef, Types, Variant, float, number};

/// What a variable or place holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Content {
    Value(Ty),
    Slice(Ty),
    Vec(Ty),
}

/// A variable in scope.
#[derive(Clone, Debug)]
pub struct Var {
    pub id: Id,
    /// The place it stands for, as it is written: `v3`, `(*v4)`, `m.g1`.
    pub path: String,
    pub content: Content,
    pub writable: bool,
    /// How many borrows forbid writing to it.
    pub shared: u32,
    /// How many borrows forbid using it at all.
    pub unique: u32,
}

/// A loop or labelled block around.
#[derive(Clone, Debug)]
pub struct Target {
    pub id: Id,
    /// What `break` must give; `None` for none.
    pub value: Option<Ty>,
    pub is_loop: bool,
}

/// The function or closure being written.
#[derive(Clone, Debug)]
pub struct Frame {
    pub ret: Ty,
    pub ret_id: Id,
    pub targets: Vec<Target>,
    pub in_closure: bool,
    /// The variables that own something.
    pub owners: Vec<Owner>,
}

/// The generator of one case.
pub struct Gen {
    pub random: Random,
    pub types: Types,
    pub functions: Vec<Function>,
    /// Constants that patterns may name: name, type, value.
    pub consts: Vec<(String, Ty, String)>,
    pub vars: Vec<Var>,
    pub frame: Frame,
    /// How many more nodes the current function may have.
    pub fuel: usize,
    pub depth: usize,
    /// How often the code being written runs in a call of its function, at most.
    pub times: usize,
    /// How many nodes a call of the current function executes, about.
    pub cost: usize,
    /// Nothing may be written, and nothing left.
    pub pure: bool,
    /// Whether the next number's type is known from where it stands.
    pub known: bool,
    pub next: u32,
}

/// How many functions a case has at most.
const FUNCTIONS: usize = 6;

impl Gen {
    /// A case that depends on the seed only.
    pub fn case(seed: u64) -> Case {
        let mut random = Random::new(seed);
        let types = random_types(&mut random);
        let frame = Frame {
            ret: Ty::Unit,
            ret_id: Id(0),
            targets: Vec::new(),
            in_closure: false,
            owners: Vec::new(),
        };
        let mut g = Gen {
            random,
            types,
            functions: Vec::new(),
            consts: Vec::new(),
            vars: Vec::new(),
            frame,
            fuel: 0,
            depth: 0,
            times: 1,
            cost: 0,
            pure: false,
            known: false,
            next: 1,
        };
        for n in 0..3 {
            let ty = g.ty(1);
            let value = g.constant(&ty);
            g.consts.push((format!("K{n}"), ty, value));
        }
        g.shapes();
        let memory: Vec<Content> = (0..1 + g.random.below(4)).map(|_| g.memory()).collect();
        let ret = g.ty(2);
        let entry = g.entry(ret.clone(), &memory);
        let defaults: Vec<String> = memory.iter().map(|content| g.initial(content)).collect();
        Case {
            name: "case".to_string(),
            seed,
            types: g.types,
            functions: g.functions,
            consts: g.consts,
            entry,
            ret,
            memory: memory.into_iter().zip(defaults).collect(),
        }
    }

    fn memory(&mut self) -> Content {
        match self.random.below(3) {
            0 => Content::Vec(self.ty(1)),
            _ => Content::Value(self.ty(2)),
        }
    }

    /// A value made of literals, as text.
    fn constant(&mut self, ty: &Ty) -> String {
        let mut text = String::new();
        let mut node = self.literal(ty);
        node.suffix();
        node.print(&mut text);
        text
    }

    fn initial(&mut self, content: &Content) -> String {
        let element = |g: &mut Gen, ty: &Ty| g.constant(ty);
        match content {
            Content::Value(ty) => element(self, ty),
            Content::Vec(ty) | Content::Slice(ty) => {
                let all: Vec<String> = (0..2 + self.random.below(4)).map(|_| element(self, ty)).collect();
                format!("vec![{}]", all.join(", "))
            }
        }
    }

    /// A fresh identity.
    pub fn id(&mut self) -> Id {
        self.next += 1;
        Id(self.next)
    }

    /// A type with parts in parts this deep.
    pub fn ty(&mut self, depth: usize) -> Ty {
        if depth == 0 || self.random.chance(55) {
            return self.scalar();
        }
        let ty = match self.random.below(14) {
            0 | 1 => {
                let n = 1 + self.random.below(3);
                Ty::Tuple((0..n).map(|_| self.ty(depth - 1)).collect())
            }
            2 | 3 => Ty::Array(Box::new(self.ty(depth - 1)), 1 + self.random.below(4)),
            4 | 5 => Ty::Option(Box::new(self.ty(depth - 1))),
            6 => Ty::Result(Box::new(self.ty(depth - 1)), Box::new(self.ty(depth - 1))),
            7 => Ty::Wrap(Box::new(self.scalar())),
            _ if !self.types.0.is_empty() => Ty::Named(self.random.below(self.types.0.len())),
            _ => self.scalar(),
        };
        if self.types.words(&ty) > 14 { self.scalar() } else { ty }
    }

    /// A scalar type.
    pub fn scalar(&mut self) -> Ty {
        scalar(&mut self.random)
    }

    /// An integer type.
    pub fn int(&mut self) -> Int {
        *self.random.pick(INTS)
    }

    /// A node for a number.
    pub fn number(&mut self, ty: &Ty, known: bool) -> Node {
        let (suffix, (negative, digits)) = match ty {
            Ty::Int(int) => (int.name, number(*int, &mut self.random)),
            Ty::F32 => ("f32", float(&mut self.random)),
            _ => ("f64", float(&mut self.random)),
        };
        let suffixed = !(known && self.random.chance(70));
        let mut node = Node::new(Role::Value(ty.clone()));
        if negative {
            node = node.text("(-");
        }
        node.parts.push(Part::Literal { digits, suffix, suffixed });
        if negative { node.text(")") } else { node }
    }

    /// A value of the type made of literals.
    pub fn literal(&mut self, ty: &Ty) -> Node {
        let node = Node::new(Role::Value(ty.clone()));
        match ty {
            Ty::Bool => node.text(if self.random.chance(50) { "true" } else { "false" }),
            Ty::Char => node.text(*self.random.pick(&["'a'", "'\\n'", "'é'", "'\\u{10ffff}'", "'0'"])),
            Ty::Int(_) | Ty::F32 | Ty::F64 => self.number(ty, true),
            _ => self.construct(ty, &mut |g, ty| g.literal(ty)),
        }
    }

    /// A value built by a constructor of its type, with parts made by `part`.
    pub fn construct(&mut self, ty: &Ty, part: &mut dyn FnMut(&mut Gen, &Ty) -> Node) -> Node {
        let node = Node::new(Role::Value(ty.clone()));
        match ty {
            Ty::Unit => node.text("()"),
            Ty::Bool | Ty::Char | Ty::Int(_) | Ty::F32 | Ty::F64 => part(self, ty),
            Ty::Tuple(tys) => {
                let all = tys.iter().map(|ty| part(self, ty)).collect();
                node.text("(").joined(all, ", ").text(if tys.len() == 1 { ",)" } else { ")" })
            }
            Ty::Array(ty, n) if self.random.chance(25) => {
                node.text("[").node(part(self, ty)).text(format!("; {n}]"))
            }
            Ty::Array(ty, n) => {
                let all = (0..*n).map(|_| part(self, ty)).collect();
                node.text("[").joined(all, ", ").text("]")
            }
            Ty::Option(inner) => {
                let name = self.types.name(inner);
                if self.random.chance(25) {
                    return node.text(format!("None::<{name}>"));
                }
                node.text("Some(").node(part(self, inner)).text(")")
            }
            Ty::Result(ok, err) => {
                let names = format!("{}, {}", self.types.name(ok), self.types.name(err));
                match self.random.chance(60) {
                    true => node.text(format!("Ok::<{names}>(")).node(part(self, ok)).text(")"),
                    false => node.text(format!("Err::<{names}>(")).node(part(self, err)).text(")"),
                }
            }
            Ty::Wrap(inner) => {
                let n = self.number(&crate::types::I32, true);
                node.text("Wrap { inner: ").node(part(self, inner)).text(", n: ").node(n).text(" }")
            }
            Ty::Named(n) => {
                let (head, fields) = match &self.types.0[*n] {
                    TypeDef::Struct { name, fields } => (name.clone(), fields.clone()),
                    TypeDef::Enum { name, variants, .. } => {
                        let v = &variants[self.random.below(variants.len())];
                        (format!("{name}::{}", v.name), v.fields.clone())
                    }
                };
                self.fields(node.text(head), &fields, part)
            }
        }
    }

    fn fields(&mut self, node: Node, fields: &Fields, part: &mut dyn FnMut(&mut Gen, &Ty) -> Node) -> Node {
        if fields.tys.is_empty() {
            return node;
        }
        if !fields.named {
            let all = fields.tys.iter().map(|ty| part(self, ty)).collect();
            return node.text("(").joined(all, ", ").text(")");
        }
        // In any order: they are evaluated as they are written.
        let mut order: Vec<usize> = (0..fields.tys.len()).collect();
        if self.random.chance(40) {
            order.reverse();
        }
        let mut node = node.text(" { ");
        for n in order {
            node = node.text(format!("f{n}: ")).node(part(self, &fields.tys[n])).text(", ");
        }
        node.text("}")
    }

    /// Runs `f` with no more variables after it than before.
    pub fn scoped<T>(&mut self, f: impl FnOnce(&mut Gen) -> T) -> T {
        let (count, owners) = (self.vars.len(), self.frame.owners.len());
        let result = f(self);
        self.vars.truncate(count);
        self.frame.owners.truncate(owners);
        result
    }

    /// Runs `f` where nothing may be written.
    pub fn purely<T>(&mut self, f: impl FnOnce(&mut Gen) -> T) -> T {
        let before = std::mem::replace(&mut self.pure, true);
        let result = f(self);
        self.pure = before;
        result
    }

    /// Adds a variable.
    pub fn declare(&mut self, path: String, content: Content, writable: bool) -> Id {
        let id = self.id();
        self.vars.push(Var { id, path, content, writable, shared: 0, unique: 0 });
        id
    }

    /// Adds a variable with a name of its own.
    pub fn variable(&mut self, ty: &Ty, writable: bool) -> (Id, String) {
        let name = format!("v{}", self.next + 1);
        (self.declare(name.clone(), Content::Value(ty.clone()), writable), name)
    }

    /// Locks the variable for the time of a borrow; `unlock` ends it.
    pub fn lock(&mut self, id: Id, unique: bool) {
        // Borrows of one field of the memory lock all of what has the same path, and nothing else.
        for var in self.vars.iter_mut().filter(|var| var.id == id) {
            if unique {
                var.unique += 1;
            } else {
                var.shared += 1;
            }
        }
    }

    /// Ends a borrow.
    pub fn unlock(&mut self, id: Id, unique: bool) {
        for var in self.vars.iter_mut().filter(|var| var.id == id) {
            if unique {
                var.unique -= 1;
            } else {
                var.shared -= 1;
            }
        }
    }

    /// Whether another function may be begun.
    pub fn may_add_function(&self) -> bool {
        self.functions.len() < FUNCTIONS
    }

    /// Writes a function's body: nothing but its parameters is in scope.
    pub fn in_function<T>(&mut self, ret: &Ty, fuel: usize, f: impl FnOnce(&mut Gen, Id) -> T) -> (T, usize) {
        let ret_id = self.id();
        let frame =
            Frame { ret: ret.clone(), ret_id, targets: Vec::new(), in_closure: false, owners: Vec::new() };
        let frame = std::mem::replace(&mut self.frame, frame);
        let vars = std::mem::take(&mut self.vars);
        let (depth, times, pure) = (self.depth, self.times, self.pure);
        let (outer_fuel, outer_cost) = (self.fuel, self.cost);
        (self.depth, self.times, self.pure, self.fuel, self.cost) = (0, 1, false, fuel, 0);
        let result = f(self, ret_id);
        let cost = self.cost + 1;
        self.frame = frame;
        self.vars = vars;
        (self.depth, self.times, self.pure) = (depth, times, pure);
        (self.fuel, self.cost) = (outer_fuel, outer_cost);
        (result, cost)
    }

    fn entry(&mut self, ret: Ty, memory: &[Content]) -> Id {
        let id = self.id();
        let fuel = 25 + self.random.below(40);
        let ((params, body), cost) = self.in_function(&ret, fuel, |g, ret_id| {
            let mut params = Vec::new();
            let mut all = Vec::new();
            for (name, ty) in [("a", "i64"), ("b", "i64"), ("c", "i64"), ("x", "f64"), ("y", "f64")] {
                let content = Content::Value(if ty == "i64" { crate::types::I64 } else { Ty::F64 });
                all.push(g.declare(name.to_string(), content, true));
                params.push(Param { text: format!("mut {name}: {ty}"), content: None });
            }
            for (n, content) in memory.iter().enumerate() {
                all.push(g.declare(format!("m.g{n}"), content.clone(), true));
            }
            params.push(Param { text: "m: &mut Memory".to_string(), content: None });
            let statements = 2 + g.random.below(4);
            let body = g.block(&ret, statements);
            (params, body.declaring(all).declaring([ret_id]))
        });
        self.functions.push(Function::new(id, "entry", params, ret, body, cost));
        id
    }
}

fn scalar(random: &mut Random) -> Ty {
    match random.below(20) {
        0..=12 => Ty::Int(*random.pick(INTS)),
        13 | 14 => Ty::Bool,
        15 => Ty::Char,
        16 => Ty::F32,
        _ => Ty::F64,
    }
}

fn random_types(random: &mut Random) -> Types {
    let mut types = Types(Vec::new());
    for n in 0..random.below(4) {
        let def = if random.chance(45) {
            let count = 1 + random.below(4);
            let fields = random_fields(random, &types, count);
            TypeDef::Struct { name: format!("S{n}"), fields }
        } else {
            random_enum(random, &types, format!("E{n}"))
        };
        types.0.push(def);
    }
    types
}

fn random_enum(random: &mut Random, types: &Types, name: String) -> TypeDef {
    let fieldless = random.chance(30);
    let repr = if random.chance(50) { Some(*random.pick(&["u8", "i8", "u16", "i32", "i64"])) } else { None };
    let mut next = 0i64;
    let count = 1 + random.below(5);
    let variants = (0..count).map(|n| {
        let fields = if fieldless || random.chance(25) {
            Fields { named: false, tys: Vec::new() }
        } else {
            let count = 1 + random.below(3);
            random_fields(random, types, count)
        };
        let discriminant =
            (fieldless && random.chance(40)).then(|| next + random.below(20) as i64 - 3 * (n == 0) as i64);
        let negative = discriminant.is_some_and(|d| d < 0) && repr.is_some_and(|r| r.starts_with('u'));
        let discriminant = discriminant.filter(|_| !negative);
        next = discriminant.unwrap_or(next) + 1;
        Variant { name: format!("V{n}"), fields, discriminant }
    });
    TypeDef::Enum { name, repr, variants: variants.collect() }
}

fn random_fields(random: &mut Random, types: &Types, count: usize) -> Fields {
    let named = random.chance(60);
    let tys = (0..count).map(|_| match random.below(10) {
        0 if !types.0.is_empty() => Ty::Named(random.below(types.0.len())),
        1 => Ty::Tuple(vec![scalar(random), scalar(random)]),
        2 => Ty::Array(Box::new(scalar(random)), 1 + random.below(3)),
        3 => Ty::Option(Box::new(scalar(random))),
        _ => scalar(random),
    });
    Fields { named, tys: tys.collect() }
}
