//! Native code that graphs refer to: helper functions and numbers that the glue tells.
//!
//! Helpers are closures without captures, written here as Rust text. Where Rust panics (overflow, division by zero), the
//! helper performs the very operation, so that the message is rustc's own and the result, where overflow wraps, the build's.

use crate::flow::types::{Type, TypeId};
use crate::flow::{Extern, ExternId, FuncAttrs, LoadTimeId, LoadTimeValue, ModuleId};
use crate::lower::Cx;

/// A native helper: Rust text and signature.
pub(super) struct Helper<'a> {
    /// For people.
    pub(super) name: &'a str,
    /// A closure.
    pub(super) rust: String,
    pub(super) module: ModuleId,
    pub(super) params: Vec<TypeId>,
    pub(super) ret: TypeId,
    pub(super) can_panic: bool,
    /// Whether the result depends on the arguments alone.
    pub(super) elidable: bool,
}

/// A Rust expression that tells whether `+` panics on overflow in this build. Where panics abort it cannot be tried out,
/// and the answer is yes: the helper that overflow then calls does what the build does.
const OVERFLOW_CHECKS: &str =
    "::metatrace::rt::overflow_checks(|| ::core::hint::black_box(255u8) + ::core::hint::black_box(1u8))";

impl Cx<'_> {
    /// The extern for a helper that touches no memory but what its arguments point to.
    pub(super) fn helper(&mut self, helper: Helper) -> ExternId {
        let attrs = FuncAttrs { elidable: helper.elidable, ..FuncAttrs::default() };
        self.extern_fn(Extern {
            name: helper.name.to_string(),
            rust: helper.rust,
            module: helper.module,
            params: helper.params,
            ret: helper.ret,
            attrs,
            can_panic: helper.can_panic,
            is_helper: true,
            touches: None,
        })
    }

    /// Adds or finds an extern.
    pub(super) fn extern_fn(&mut self, ext: Extern) -> ExternId {
        let key = (ext.rust.clone(), ext.module, ext.params.clone());
        let next = ExternId::new(self.out.externs.len());
        let id = *self.externs.entry(key).or_insert(next);
        self.log.iter_mut().for_each(|log| log.ext(&ext, id));
        if id == next {
            self.out.externs.push(ext);
        }
        id
    }

    /// Adds or finds a number that the glue tells.
    pub(super) fn load_time(&mut self, value: LoadTimeValue) -> LoadTimeId {
        let key = (value.rust.clone(), value.module);
        let next = LoadTimeId::new(self.out.load_times.len());
        let id = *self.load_times.entry(key).or_insert(next);
        self.log.iter_mut().for_each(|log| log.load_time(&value, id));
        if id == next {
            self.out.load_times.push(value);
        }
        id
    }

    pub(super) fn overflow_checks(&mut self) -> LoadTimeId {
        self.load_time(LoadTimeValue {
            rust: format!("{OVERFLOW_CHECKS} as u64"),
            module: self.home,
            name: "overflow-checks".to_string(),
            frozen: false,
        })
    }

    pub(super) fn unit(&mut self) -> TypeId {
        self.add(Type::Tuple(vec![]))
    }

    pub(super) fn usize(&mut self) -> TypeId {
        self.add(Type::USIZE)
    }

    pub(super) fn bool(&mut self) -> TypeId {
        self.add(Type::Bool)
    }

    pub(super) fn never(&mut self) -> TypeId {
        self.add(Type::Never)
    }
}
