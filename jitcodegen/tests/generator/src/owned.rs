//! Values that own something: their types have destructors that log, trait objects, counts, texts. They are moved, so what is
//! written here keeps to what the borrow checker allows.
//!
//! In: the generator's state. Out: statements and values with variables of the types in [`Own`], whose definitions stand in the
//! hand-written part of the crate. A variable that was moved anywhere is not mentioned again; it is moved only where that
//! happens once, and by no closure.

use crate::gen_state::Gen;
use crate::tree::{Id, Node, Role};
use crate::types::{I64, Ty};

/// A type of the hand-written part whose values own something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Own {
    /// Logs its number when it is dropped.
    Noted,
    /// An enum of things that own or do not.
    Thing,
    Text,
    Shared,
    Boxed,
    /// `Box<dyn Weigh>`
    Object,
    Maybe,
    Pair,
    List,
}

const ALL: [Own; 9] = [
    Own::Noted,
    Own::Noted,
    Own::Thing,
    Own::Text,
    Own::Shared,
    Own::Boxed,
    Own::Object,
    Own::Maybe,
    Own::Pair,
];

impl Own {
    /// The type as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Own::Noted => "Noted",
            Own::Thing => "Thing",
            Own::Text => "String",
            Own::Shared => "std::rc::Rc<Noted>",
            Own::Boxed => "Box<Noted>",
            Own::Object => "Box<dyn Weigh>",
            Own::Maybe => "Option<Noted>",
            Own::Pair => "(Noted, Thing)",
            Own::List => "Vec<Noted>",
        }
    }
}

/// A variable that owns something.
#[derive(Clone, Debug)]
pub struct Owner {
    pub id: Id,
    pub own: Own,
    /// In how many loops of its function it is declared.
    loops: usize,
    moved: bool,
}

impl Owner {
    fn name(&self) -> String {
        format!("o{}", self.id.0)
    }
}

fn statement() -> Node {
    Node::new(Role::Statement)
}

fn number() -> Node {
    Node::new(Role::Value(I64))
}

impl Gen {
    fn loops(&self) -> usize {
        self.frame.targets.iter().filter(|target| target.is_loop).count()
    }

    /// One of these types.
    pub fn own(&mut self) -> Own {
        if self.random.chance(10) { Own::List } else { *self.random.pick(&ALL) }
    }

    /// Adds a variable of this type.
    pub fn owner(&mut self, own: Own) -> (Id, String) {
        let owner = Owner { id: self.id(), own, loops: self.loops(), moved: false };
        let named = (owner.id, owner.name());
        self.frame.owners.push(owner);
        named
    }

    /// A variable that may be looked at, of a type that fits.
    fn some_owner(&mut self, wanted: impl Fn(Own) -> bool) -> Option<usize> {
        let all = self.frame.owners.iter().enumerate();
        let all: Vec<usize> = all.filter(|(_, o)| !o.moved && wanted(o.own)).map(|(n, _)| n).collect();
        if all.is_empty() { None } else { Some(*self.random.pick(&all)) }
    }

    /// A variable that may be moved or changed.
    fn free_owner(&mut self, wanted: impl Fn(Own) -> bool) -> Option<usize> {
        if self.pure {
            return None;
        }
        let loops = self.loops();
        let here: Vec<Id> = self.frame.owners.iter().filter(|o| o.loops == loops).map(|o| o.id).collect();
        let found = self.some_owner(wanted)?;
        here.contains(&self.frame.owners[found].id).then_some(found)
    }

    /// Moves the variable: its name, and who it is.
    fn take_owner(&mut self, n: usize) -> (Id, String) {
        let owner = &mut self.frame.owners[n];
        owner.moved = true;
        (owner.id, owner.name())
    }

    /// A value that owns something.
    pub fn owned(&mut self, own: Own, depth: usize) -> Node {
        let node = Node::new(Role::Fixed);
        if depth < 3 && self.random.chance(30) {
            if let Some(n) = self.free_owner(|o| o == own) {
                let (id, name) = self.take_owner(n);
                return node.text(name).using([id]);
            }
        }
        let simple = depth == 0 || self.fuel == 0;
        match own {
            Own::Noted if !simple && self.random.chance(15) => {
                node.text("(*").node(self.owned(Own::Boxed, depth - 1)).text(")")
            }
            Own::Noted if !simple && self.random.chance(20) => {
                let maybe = self.owned(Own::Maybe, depth - 1);
                let other = self.owned(Own::Noted, depth - 1);
                node.text("(").node(maybe).text(").unwrap_or(").node(other).text(")")
            }
            Own::Noted if !simple && !self.pure && self.random.chance(25) => {
                let cond = self.expr(&Ty::Bool);
                let (a, b) = (self.owned(Own::Noted, depth - 1), self.owned(Own::Noted, depth - 1));
                node.text("(if ").node(cond).text(" { ").node(a).text(" } else { ").node(b).text(" })")
            }
            Own::Noted => {
                let n = self.small(simple);
                let make = *self.random.pick(&["Noted", "Noted", "noted"]);
                node.text(format!("{make}(")).node(n).text(")")
            }
            Own::Thing => match self.random.below(5) {
                0 => node.text("Thing::Nothing"),
                1 => node.text("Thing::Number(").node(self.small(simple)).text(")"),
                2 if !simple => node.text("Thing::Named(").node(self.owned(Own::Text, depth - 1)).text(")"),
                3 if !simple => {
                    let first = self.owned(Own::Boxed, depth - 1);
                    let second = self.owned(Own::Noted, depth - 1);
                    node.text("Thing::Two { first: ").node(first).text(", second: ").node(second).text(" }")
                }
                _ => node.text("Thing::One(").node(self.owned(Own::Noted, depth.saturating_sub(1))).text(")"),
            },
            Own::Text => match self.random.below(4) {
                0 => node.text("String::from(\"né\")"),
                1 => node.text("format!(\"<{}>\", ").node(self.small(simple)).text(")"),
                2 => node.text("(").node(self.small(simple)).text(").to_string()"),
                _ => node.text("String::with_capacity(3)"),
            },
            Own::Shared => {
                node.text("std::rc::Rc::new(").node(self.owned(Own::Noted, depth.saturating_sub(1))).text(")")
            }
            Own::Boxed => {
                node.text("Box::new(").node(self.owned(Own::Noted, depth.saturating_sub(1))).text(")")
            }
            Own::Object => {
                let of = *self.random.pick(&[Own::Noted, Own::Thing, Own::Pair]);
                let value = self.owned(of, depth.saturating_sub(1));
                node.text("(Box::new(").node(value).text(") as Box<dyn Weigh>)")
            }
            Own::Maybe if self.random.chance(25) => node.text("None::<Noted>"),
            Own::Maybe => node.text("Some(").node(self.owned(Own::Noted, depth.saturating_sub(1))).text(")"),
            Own::Pair => {
                let first = self.owned(Own::Noted, depth.saturating_sub(1));
                let second = self.owned(Own::Thing, depth.saturating_sub(1));
                node.text("(").node(first).text(", ").node(second).text(")")
            }
            Own::List => {
                let n = 1 + self.random.below(3);
                let all = (0..n).map(|_| self.owned(Own::Noted, depth.saturating_sub(1))).collect();
                node.text("vec![").joined(all, ", ").text("]")
            }
        }
    }

    fn small(&mut self, simple: bool) -> Node {
        if simple { self.leaf(&I64, false) } else { self.expr(&I64) }
    }

    /// A number that depends on something owned.
    pub fn weight(&mut self) -> Node {
        let node = number();
        match self.random.below(10) {
            0..=4 => {
                let Some(n) = self.some_owner(|_| true) else { return self.leaf(&I64, false) };
                let (id, name) = (self.frame.owners[n].id, self.frame.owners[n].name());
                let form = *self.random.pick(&["weight(&@)", "heavy(&@)", "@.weigh()", "@.heavier(3)"]);
                node.text(form.replace('@', &name)).using([id])
            }
            5 => {
                let Some(n) = self.some_owner(|own| own == Own::Text) else { return self.leaf(&I64, false) };
                let (id, name) = (self.frame.owners[n].id, self.frame.owners[n].name());
                let forms = [
                    "(@.len() as i64)",
                    "(@.as_bytes().first().copied().map_or(-1, i64::from))",
                    "((@.as_str() < \"<3\") as i64)",
                    "(@.bytes().rev().position(|b| b == b'1').is_some() as i64)",
                ];
                node.text(self.random.pick(&forms).replace('@', &name)).using([id])
            }
            6 | 7 => {
                let own = self.own();
                node.text("consume(").node(self.owned(own, 2)).text(")")
            }
            8 if self.random.chance(40) => {
                let own = self.own();
                let (value, cond) = (self.owned(own, 1), self.expr(&Ty::Bool));
                node.text("keep(").node(value).text(", ").node(cond).text(").map_or(7, consume)")
            }
            8 if self.random.chance(50) => {
                let (n, own) = (self.expr(&I64), self.owned(Own::Noted, 1));
                node.text("tried_twice(").node(n).text(", ").node(own).text(").unwrap_or_else(consume)")
            }
            8 => {
                let (a, b) = (self.own(), self.own());
                let all = vec![self.owned(a, 1), self.owned(b, 1)];
                node.text("both(").joined(all, ", ").text(")")
            }
            _ => {
                let Some(n) = self.free_owner(|own| own == Own::Noted) else { return self.leaf(&I64, false) };
                let (id, name) = (self.frame.owners[n].id, self.frame.owners[n].name());
                self.frame.owners[n].moved = true;
                let new = self.owned(Own::Noted, 1);
                self.frame.owners[n].moved = false;
                node.text(format!("std::mem::replace(&mut {name}, ")).node(new).text(").weigh()").using([id])
            }
        }
    }

    /// A statement about something owned.
    pub fn owning(&mut self) -> Node {
        match self.random.below(12) {
            0..=4 => self.own_let(),
            5 => {
                let Some(n) = self.free_owner(|_| true) else { return self.own_let() };
                let own = self.frame.owners[n].own;
                let (id, name) = self.take_owner(n);
                let value = self.owned(own, 2);
                self.frame.owners[n].moved = false;
                statement().text(format!("{name} = ")).node(value).text(";").using([id])
            }
            6 | 7 => {
                let Some(n) = self.free_owner(|_| true) else { return self.own_let() };
                let cond = self.expr(&Ty::Bool);
                if self.frame.owners[n].moved {
                    return self.own_let();
                }
                let own = self.frame.owners[n].own;
                let (id, name) = self.take_owner(n);
                let node =
                    statement().text("if ").node(cond).text(format!(" {{ drop({name}); }}")).using([id]);
                if self.random.chance(50) {
                    return node;
                }
                let again = self.owned(own, 1);
                self.frame.owners[n].moved = false;
                node.text(format!(" {name} = ")).node(again).text(";")
            }
            8 => self.own_change(),
            _ => self.own_match(),
        }
    }

    fn own_let(&mut self) -> Node {
        let own = self.own();
        let value = self.owned(own, 2);
        let (id, name) = self.owner(own);
        statement().text(format!("let mut {name}: {} = ", own.name())).node(value).text(";").declaring([id])
    }

    /// A call of a method that changes it.
    fn own_change(&mut self) -> Node {
        let wanted = |own| matches!(own, Own::Text | Own::Maybe | Own::List | Own::Shared);
        let Some(n) = self.free_owner(wanted) else { return self.own_let() };
        let (id, name, own) =
            (self.frame.owners[n].id, self.frame.owners[n].name(), self.frame.owners[n].own);
        self.frame.owners[n].moved = true;
        let node = statement().using([id]);
        let node = match own {
            Own::Text if self.random.chance(60) => {
                let c = self.expr(&Ty::Char);
                node.text(format!("{name}.push(")).node(c).text(");")
            }
            Own::Text => {
                let other = self.owned(Own::Text, 1);
                node.text(format!("{name}.push_str(&")).node(other).text(");")
            }
            Own::List if self.random.chance(50) => {
                let one = self.owned(Own::Noted, 1);
                node.text(format!("if {name}.len() < 6 {{ {name}.push(")).node(one).text("); }")
            }
            Own::List => node.text(format!("{name}.pop();")),
            Own::Shared => {
                let (other, new) = self.owner(Own::Shared);
                node.text(format!("let mut {new} = {name}.clone();")).declaring([other])
            }
            _ => {
                let (other, new) = self.owner(Own::Maybe);
                node.text(format!("let mut {new} = {name}.take();")).declaring([other])
            }
        };
        self.frame.owners[n].moved = false;
        node
    }

    /// A match that moves what it matches, or parts of it.
    fn own_match(&mut self) -> Node {
        let wanted = |own| matches!(own, Own::Thing | Own::Maybe | Own::Pair);
        let Some(n) = self.free_owner(wanted) else { return self.own_let() };
        let own = self.frame.owners[n].own;
        let (id, name) = self.take_owner(n);
        let node = statement().using([id]);
        match own {
            Own::Pair => {
                let (first, a) = self.owner(Own::Noted);
                if self.random.chance(40) {
                    return node.text(format!("let ({a}, _) = {name};")).declaring([first]);
                }
                let (second, b) = self.owner(Own::Thing);
                node.text(format!("let (mut {a}, mut {b}) = {name};")).declaring([first, second])
            }
            Own::Maybe => {
                let (body, inner, text) = self.own_arm(Own::Noted);
                node.text(format!("if let Some(mut {text}) = {name} ")).node(body).declaring([inner])
            }
            _ => {
                let guard = self.purely(|g| g.expr(&Ty::Bool));
                let (one, inner, a) = self.own_arm(Own::Noted);
                let (two, first, b) = self.own_arm(Own::Boxed);
                let (named, text, c) = self.own_arm(Own::Text);
                let (rest, other, d) = self.own_arm(Own::Thing);
                node.text(format!("match {name} {{\nThing::One(mut {a}) if "))
                    .node(guard)
                    .text(" => ")
                    .node(one)
                    .text(format!("\nThing::Two {{ first: mut {b}, .. }} => "))
                    .node(two)
                    .text(format!("\nThing::Named(mut {c}) => "))
                    .node(named)
                    .text(format!("\nmut {d} => "))
                    .node(rest)
                    .text("\n}")
                    .declaring([inner, first, text, other])
            }
        }
    }

    /// A block with a new variable of this type.
    fn own_arm(&mut self, own: Own) -> (Node, Id, String) {
        self.scoped(|g| {
            let (id, name) = g.owner(own);
            (g.block(&Ty::Unit, 1), id, name)
        })
    }
}
