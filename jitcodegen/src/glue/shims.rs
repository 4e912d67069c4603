//! Call shims: `extern "C"` functions of words, one for each native callee.

use std::fmt::Write;

use metatrace_translator::flow::ModuleId;
use metatrace_translator::flow::types::{Type, TypeId};

use super::convert::struct_path;
use super::{Cx, portal_static};
use crate::layout::variant_path;
use crate::tables::ShimKind;

impl Cx<'_> {
    /// The module and the text of shim number `n`.
    pub(super) fn shim(&self, n: usize, kind: ShimKind) -> (ModuleId, String) {
        let types = &self.program.types;
        let rust = |ty: TypeId| types.data(ty).rust.clone();
        let words = |ty: TypeId| types.scalars(ty).map_or(0, |scalars| scalars.len());
        let (args, body) = match kind {
            ShimKind::Func(id) => {
                let func = self.program.func(id);
                let path = func.rust.as_deref().unwrap_or_default();
                let (count, call) = self.call(path, &func.params, func.ret);
                match self.program.portals.iter().enumerate().find(|(_, portal)| portal.func == id) {
                    Some((n, portal)) => (count, portal_text(&portal_static(n, portal), count, &call)),
                    None => (count, call),
                }
            }
            ShimKind::Extern(id) => {
                let callee = self.program.extern_fn(id);
                self.call(&callee.rust, &callee.params, callee.ret)
            }
            ShimKind::Load(ty) => {
                let read = format!("::core::ptr::read(a0 as usize as *const {})", rust(ty));
                (1, self.result(ty, &read))
            }
            ShimKind::Store(ty) => {
                let args: Vec<String> = (1..=words(ty)).map(|n| format!("a{n}")).collect();
                let value = self.unpack(ty, &args);
                let write = format!("::core::ptr::write(a0 as usize as *mut {}, {value})", rust(ty));
                (1 + args.len(), format!("{write}; 0"))
            }
            ShimKind::Variant(ty) => {
                (1, self.variant_at(ty, &format!("*(a0 as usize as *const {})", rust(ty)), "u64"))
            }
            ShimKind::Project(ty, variant, field) => (1, self.project(ty, variant, field)),
            ShimKind::Drop(ty) => {
                let drop = format!("::core::ptr::drop_in_place(a0 as usize as *mut {})", rust(ty));
                (1, format!("::metatrace::rt::shim_call(cx, || {drop})"))
            }
            ShimKind::Copy(ty) => {
                let (to, from) = (
                    format!("a0 as usize as *mut {}", rust(ty)),
                    format!("a1 as usize as *const {}", rust(ty)),
                );
                (2, format!("::core::ptr::copy_nonoverlapping({from}, {to}, 1); 0"))
            }
        };
        let params: String = (0..args).map(|n| format!(", a{n}: u64")).collect();
        let text = format!(
            "pub unsafe extern \"C\" fn mt_s{n}(cx: *mut ::metatrace::rt::Context{params}) -> u64 {{\n    \
             // SAFETY: jitcode hands over what the callee demands, as the witnesses prove of its types.\n    \
             unsafe {{ {body} }}\n}}\n"
        );
        (self.shim_module(kind), text)
    }

    /// The number of words of the arguments, and an expression that calls `callee` with `a0, a1, …`.
    fn call(&self, callee: &str, params: &[TypeId], ret: TypeId) -> (usize, String) {
        let types = &self.program.types;
        let by_address = types.is_memory(ret);
        let mut next = usize::from(by_address);
        let mut args = Vec::new();
        for &param in params {
            match types.scalars(param) {
                Some(scalars) => {
                    let words: Vec<String> = (next..next + scalars.len()).map(|n| format!("a{n}")).collect();
                    args.push(self.unpack(param, &words));
                    next += scalars.len();
                }
                None => {
                    let rust = &types.data(param).rust;
                    args.push(format!("::core::ptr::read(a{next} as usize as *const {rust})"));
                    next += 1;
                }
            }
        }
        let call = call_text(callee, &args);
        if by_address {
            let write = format!("::core::ptr::write(a0 as usize as *mut {}, {call})", types.data(ret).rust);
            return (next, format!("::metatrace::rt::shim_call(cx, || {write})"));
        }
        (next, self.result(ret, &call))
    }

    /// An expression that evaluates `value` of type `ty` and hands its words over.
    fn result(&self, ty: TypeId, value: &str) -> String {
        let types = &self.program.types;
        let rust = &types.data(ty).rust;
        if *types.get(ty) == Type::Never {
            return format!("::metatrace::rt::shim_call(cx, || -> () {{ {value}; }})");
        }
        if self.has_scalars(ty) {
            return format!("::metatrace::rt::shim_call(cx, || -> {rust} {{ {value} }})");
        }
        let words = types.scalars(ty).map_or(0, |scalars| scalars.len());
        let pack = self.pack(ty, "v", 0);
        format!(
            "::metatrace::rt::shim_call_with(cx, {words}, || -> {rust} {{ {value} }}, |v, out| {{ {pack} }})"
        )
    }

    /// An expression for the index of the variant of the enum at a place.
    pub(super) fn variant_at(&self, ty: TypeId, place: &str, number: &str) -> String {
        let data = self.program.types.data(ty);
        let Type::Adt(adt) = &data.ty else { panic!("a variant of {}", data.rust) };
        let mut arms = String::new();
        for (n, variant) in adt.variants.iter().enumerate() {
            _ = write!(arms, "{} {{ .. }} => {n}{number}, ", variant_path(adt, &variant.name));
        }
        format!("match {place} {{ {arms}}}")
    }

    fn project(&self, ty: TypeId, variant: u32, field: u32) -> String {
        let data = self.program.types.data(ty);
        let Type::Adt(adt) = &data.ty else { panic!("a field of {}", data.rust) };
        let variant = &adt.variants[variant as usize];
        let path = match adt.is_enum {
            true => variant_path(adt, &variant.name),
            false => struct_path(adt).to_string(),
        };
        let name = &variant.fields[field as usize].name;
        format!(
            "match *(a0 as usize as *mut {}) {{ {path} {{ {name}: ref x, .. }} => x as *const _ as usize as u64, \
             _ => ::core::unreachable!() }}",
            data.rust
        )
    }
}

/// A call of a portal with `count` words: it may enter compiled code.
fn portal_text(name: &str, count: usize, call: &str) -> String {
    let words = (0..count).map(|n| format!("a{n}")).collect::<Vec<_>>().join(", ");
    format!(
        "::metatrace::rt::portal_call(cx, &{name}, &[{words}], |words| {{ \
         let &[{words}] = words else {{ ::core::unreachable!() }}; {call} }})"
    )
}

/// A call; a closure's parameters get their types from the arguments.
pub(super) fn call_text(callee: &str, args: &[String]) -> String {
    let list = args.join(", ");
    let is_closure = callee.starts_with('|') || callee.starts_with("move ");
    if !is_closure {
        return format!("{callee}({list})");
    }
    let names: Vec<String> = (0..args.len()).map(|n| format!("A{n}")).collect();
    let params: Vec<String> = (0..args.len()).map(|n| format!("a{n}: A{n}")).collect();
    let values: Vec<String> = (0..args.len()).map(|n| format!("a{n}")).collect();
    let generics: String = names.iter().map(|name| format!("{name}, ")).collect();
    format!(
        "{{ fn call<{generics}R>(f: impl FnOnce({}) -> R{}) -> R {{ f({}) }} call({callee}{}) }}",
        names.join(", "),
        params.iter().map(|p| format!(", {p}")).collect::<String>(),
        values.join(", "),
        args.iter().map(|a| format!(", {a}")).collect::<String>(),
    )
}
