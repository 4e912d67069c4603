//! What lowering asks of the program beyond the front end's own queries.

use crate::items::{ModId, Origin};
use crate::program::{Program, Reported};
use crate::source::Span;
use crate::thir::{Body, BodyOwner};
use crate::ty::{Args, ClosureId, Ty};
use std::rc::Rc;

impl Program {
    /// The body of the function (constant, static) that a closure is written in.
    pub(super) fn closure_body(&self, id: ClosureId) -> Result<Rc<Body>, Reported> {
        match self.closure_owner(id) {
            BodyOwner::Fn(owner) => self.body(owner),
            BodyOwner::Const(owner) => self.const_body(owner),
            BodyOwner::Static(owner) => self.static_body(owner),
        }
    }

    /// The types of the fields of a closure's environment, in an instance of the function it stands in.
    pub(super) fn closure_captures(&self, id: ClosureId, args: Args) -> Vec<Ty> {
        let sigs = self.closure_sigs.borrow();
        sigs[&id].captures.iter().map(|t| self.normalize(t.subst(args))).collect()
    }

    /// The types of a closure's parameters, and of its result.
    pub(super) fn closure_signature(&self, id: ClosureId, args: Args) -> (Vec<Ty>, Ty) {
        let sigs = self.closure_sigs.borrow();
        let params = sigs[&id].params.iter().map(|t| self.normalize(t.subst(args))).collect();
        (params, self.normalize(sigs[&id].result.subst(args)))
    }

    /// Where a closure is written, once its body is inferred.
    pub(super) fn closure_span(&self, id: ClosureId) -> Option<Span> {
        Some(self.closure_body(id).ok()?.closure(id)?.span)
    }

    /// The modules of the user's crate, each after the one around it.
    pub(super) fn user_modules(&self) -> Vec<ModId> {
        self.scopes.modules(Origin::User)
    }
}
