//! A case: a module of generated types and functions, one of which is run on all inputs; and the crate around cases.
//!
//! The crate's hand-written part is `support.rs`, the memory that all cases share, generic functions, traits, and
//! `support_owned.rs`, types whose values own something.

use std::collections::HashSet;
use std::fmt::Write;

use crate::gen_state::Content;
use crate::owned::Own;
use crate::tree::{Id, Node};
use crate::types::{Ty, Types};

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// With its type, as it is written.
    pub text: String,
    /// What an argument for it must be. `None` for the entry's, which nothing calls.
    pub content: Option<ParamKind>,
}

/// What is passed.
#[derive(Clone, PartialEq, Debug)]
pub enum ParamKind {
    Value(Ty),
    /// Something that owns something.
    Owned(Own),
    /// A reference to this; mutable or not.
    Reference(Content, bool),
}

/// A function or method.
#[derive(Clone, Debug)]
pub struct Function {
    pub id: Id,
    pub name: String,
    /// The `impl` that it stands in: its head.
    pub owner: Option<String>,
    /// What else stands in the `impl`.
    pub extra: String,
    /// Hints.
    pub attributes: Vec<&'static str>,
    pub params: Vec<Param>,
    pub ret: Ty,
    pub body: Node,
    /// How many nodes a call executes, about.
    pub cost: usize,
}

impl Function {
    /// A function outside of any impl.
    pub fn new(id: Id, name: &str, params: Vec<Param>, ret: Ty, body: Node, cost: usize) -> Function {
        Function {
            id,
            name: name.to_string(),
            owner: None,
            extra: String::new(),
            attributes: vec![],
            params,
            ret,
            body,
            cost,
        }
    }

    fn text(&self, types: &Types) -> String {
        let mut body = String::new();
        self.body.print(&mut body);
        let mut out = String::new();
        if ["for ", "while ", "loop "].iter().any(|word| body.contains(word)) {
            out.push_str("#[jit::unroll_safe]\n");
        }
        self.attributes.iter().for_each(|text| _ = writeln!(out, "{text}"));
        let params: Vec<&str> = self.params.iter().map(|param| param.text.as_str()).collect();
        let ret = if self.ret == Ty::Unit { String::new() } else { format!(" -> {}", types.name(&self.ret)) };
        let visible = if self.owner.as_ref().is_some_and(|o| o.contains(" for ")) { "" } else { "pub " };
        _ = write!(out, "{visible}fn {}({}){ret} {body}\n", self.name, params.join(", "));
        out
    }
}

/// A module of generated code.
#[derive(Clone, Debug)]
pub struct Case {
    /// The module's name.
    pub name: String,
    pub seed: u64,
    pub types: Types,
    pub functions: Vec<Function>,
    /// Constants: name, type, value.
    pub consts: Vec<(String, Ty, String)>,
    pub entry: Id,
    pub ret: Ty,
    /// The fields of its memory, with what is in them at the beginning.
    pub memory: Vec<(Content, String)>,
}

impl Case {
    /// Drops functions that nothing calls, and makes the rest well-typed again.
    pub fn repair(&mut self) {
        loop {
            let mut declared: HashSet<Id> = self.functions.iter().map(|f| f.id).collect();
            self.functions.iter().for_each(|f| declared.extend(f.body.all_declared()));
            for function in &mut self.functions {
                function.body.repair(&declared, &self.types);
            }
            let mut used = HashSet::from([self.entry]);
            self.functions.iter().for_each(|f| used.extend(f.body.all_uses()));
            let count = self.functions.len();
            // The methods of a trait's impl stay.
            self.functions
                .retain(|f| used.contains(&f.id) || f.owner.as_ref().is_some_and(|o| o.contains(" for ")));
            if self.functions.len() == count {
                return;
            }
        }
    }

    /// How many functions there are.
    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// How many nodes its functions have.
    pub fn size(&self) -> usize {
        self.functions.iter().map(|f| f.body.size()).sum()
    }

    /// The module's content.
    pub fn text(&self) -> String {
        let mut functions = String::new();
        for function in &self.functions {
            let text = function.text(&self.types);
            functions.push_str(&match &function.owner {
                Some(head) => format!("{head} {{\n{}{text}}}\n", function.extra),
                None => text,
            });
        }
        let mut memory = String::from("#[derive(Clone, Debug)]\npub struct Memory {\n");
        let mut initial = String::new();
        for (n, (content, value)) in self.memory.iter().enumerate() {
            let ty = match content {
                Content::Value(ty) => self.types.name(ty),
                Content::Vec(ty) | Content::Slice(ty) => format!("Vec<{}>", self.types.name(ty)),
            };
            _ = writeln!(memory, "    pub g{n}: {ty},");
            _ = write!(initial, "g{n}: {value}, ");
        }
        let ret = self.types.name(&self.ret);
        _ = writeln!(
            memory,
            "    pub results: Vec<{ret}>,\n    /// What was dropped, and in which order.\n    pub noted: i64,\n}}"
        );
        _ = write!(
            memory,
            "impl Memory {{\n    #[jit::dont_look_inside]\n    pub fn new() -> Memory {{\n        \
             Memory {{ {initial}results: Vec::new(), noted: 0 }}\n    }}\n}}\n"
        );
        let mut types = String::new();
        let mut consts = String::new();
        for (name, ty, value) in &self.consts {
            if functions.contains(name) {
                _ = writeln!(consts, "pub const {name}: {} = {value};", self.types.name(ty));
            }
        }
        // A type may be needed by another one only.
        let mut needed = format!("{functions}{memory}{consts}");
        for def in self.types.0.iter().rev() {
            if needed.contains(def.name()) {
                let text = self.types.define(def);
                types.insert_str(0, &text);
                needed.push_str(&text);
            }
        }
        format!(
            "use super::*;\n{types}{consts}{memory}{functions}pub fn run(input: Input, m: &mut Memory) {{\n    \
             let result = entry(input.a, input.b, input.c, input.x, input.y, m);\n    \
             m.results.push(result);\n    m.noted = noted_so_far();\n}}\nmetatrace::glue!();\n"
        )
    }
}

/// The crate of these cases: its root file. Case `n` is its instruction `n + 1`.
pub fn program(cases: &[Case]) -> String {
    let mut out = String::from(concat!(include_str!("support.rs"), include_str!("support_owned.rs")));
    let (mut fields, mut new, mut arms, mut modules) = Default::default();
    for (n, case) in cases.iter().enumerate() {
        let name = &case.name;
        let w: &mut String = &mut fields;
        _ = writeln!(w, "    pub {name}: {name}::Memory,");
        let w: &mut String = &mut new;
        _ = writeln!(w, "            {name}: {name}::Memory::new(),");
        let w: &mut String = &mut arms;
        _ = writeln!(w, "            {} => {name}::run(world.inputs[world.at], &mut world.{name}),", n + 1);
        let w: &mut String = &mut modules;
        _ = writeln!(w, "/// Seed {}.\npub mod {name} {{\n{}}}\n", case.seed, case.text());
    }
    _ = write!(
        out,
        "/// All that the program works on.\n#[derive(Clone, Debug)]\npub struct World {{\n    pub inputs: Vec<Input>,\n    \
         pub at: usize,\n{fields}}}\n\nimpl World {{\n    #[jit::dont_look_inside]\n    \
         pub fn new(inputs: Vec<Input>) -> World {{\n        forget_noted();\n        World {{\n            inputs,\n            at: 0,\n\
         {new}        }}\n    }}\n}}\n\n\
         /// The names of the cases and their seeds, in the order of their instructions.\n\
         pub const CASES: &[(&str, u64)] = &[{}];\n\n\
         #[jit::portal(owner = code, greens = [pc])]\n\
         pub fn interpret(mut pc: usize, code: &Traced<Code>, world: &mut World) {{\n    loop {{\n        \
         jit::merge_point!();\n        match code.ops[pc] {{\n            \
         0 => {{\n                world.at += 1;\n                if world.at >= world.inputs.len() {{\n                    \
         return;\n                }}\n                pc = 0;\n                jit::can_enter_jit!();\n                \
         continue;\n            }}\n{arms}            _ => return,\n        }}\n        pc += 1;\n    }}\n}}\n\n\
         metatrace::glue!();\n\n{modules}",
        cases.iter().map(|c| format!("({:?}, {})", c.name, c.seed)).collect::<Vec<_>>().join(", "),
    );
    out
}
