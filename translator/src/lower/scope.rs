//! Scopes: which variables and temporaries are dropped where, also when something panics.
//!
//! Every variable and temporary whose type needs dropping has a flag, an SSA variable that says whether it holds
//! something; flags that are known leave nothing in the graph. Leaving a scope drops what it holds in reverse order of
//! declaration. A call that may panic while anything is held becomes an `Invoke` whose clean-up block drops all of it.

use crate::flow::types::TypeId;
use crate::flow::{BlockId, Callee, OpKind, Terminator, ValueId};
use crate::lower::Result;
use crate::lower::build::Var;
use crate::lower::func::{Lower, Root, Storage};
use crate::thir::{ExprId, LoopId};
use crate::ty::Ty;

/// What is dropped at the end of a scope.
pub(super) struct Scope {
    /// Whether temporaries of expressions live to its end.
    takes_temporaries: bool,
    /// Whether variables do.
    takes_variables: bool,
    roots: Vec<Root>,
}

/// A loop or labelled block.
#[derive(Clone)]
pub(super) struct LoopAt {
    pub(super) break_to: BlockId,
    /// None for a labelled block.
    pub(super) continue_to: Option<BlockId>,
    /// How many scopes are around it.
    pub(super) depth: usize,
    /// Where `break` leaves its value.
    pub(super) result: Var,
    pub(super) result_ty: TypeId,
}

/// An operand that waits for others to be evaluated.
pub(super) struct Held {
    operand: ValueId,
    root: Option<Root>,
}

impl Held {
    /// The temporary that holds it, if it must be dropped.
    pub(super) fn root(&self) -> Option<Root> {
        self.root
    }
}

impl Lower<'_, '_> {
    /// Begins a scope for variables, or (`temporaries`) for both.
    pub(super) fn push_scope(&mut self, temporaries: bool) {
        self.scopes.push(Scope { takes_temporaries: temporaries, takes_variables: true, roots: vec![] });
    }

    /// Begins a scope for temporaries.
    pub(super) fn push_temporaries(&mut self) {
        self.scopes.push(Scope { takes_temporaries: true, takes_variables: false, roots: vec![] });
    }

    /// Ends a scope.
    pub(super) fn pop_scope(&mut self) {
        if let Some(scope) = self.scopes.last() {
            let roots = scope.roots.clone();
            self.drop_roots(&roots);
        }
        self.scopes.pop();
    }

    /// Drops what the scopes beyond the first `depth` hold, without ending them.
    pub(super) fn exit_scopes(&mut self, depth: usize) {
        for n in (depth..self.scopes.len()).rev() {
            let roots = self.scopes[n].roots.clone();
            self.drop_roots(&roots);
        }
    }

    fn drop_roots(&mut self, roots: &[Root]) {
        for &root in roots.iter().rev() {
            if self.b.is_dead() {
                return;
            }
            self.drop_root(root);
        }
    }

    /// Has a variable dropped at the end of the innermost scope for variables.
    pub(super) fn schedule(&mut self, root: Root) {
        self.schedule_in(root, |scope| scope.takes_variables);
    }

    /// Has a temporary dropped at the end of the innermost scope for temporaries.
    pub(super) fn schedule_temporary(&mut self, root: Root) {
        self.schedule_in(root, |scope| scope.takes_temporaries);
    }

    fn schedule_in(&mut self, root: Root, takes: impl Fn(&Scope) -> bool) {
        if self.roots[root.index()].flag.is_none() {
            return;
        }
        if let Some(scope) = self.scopes.iter_mut().rev().find(|s| takes(s))
            && !scope.roots.contains(&root)
        {
            scope.roots.push(root);
        }
    }

    /// Drops what a variable holds, if it does.
    pub(super) fn drop_root(&mut self, root: Root) {
        let data = self.roots[root.index()].clone();
        let Some(flag) = data.flag else { return };
        let held = self.b.read(flag);
        let known = self.b.known_const(held);
        if known == Some(0) {
            return;
        }
        let after = self.b.new_block();
        let no = self.flag_value(false);
        if known.is_none() {
            let run = self.b.new_block();
            self.b.write(flag, no);
            self.b.branch(held, run, after);
            self.b.seal_and_switch(run);
        }
        self.b.write(flag, no);
        let place = self.root_place(root);
        self.drop_place(&place, &data.moved, 0);
        self.b.goto(after);
        self.b.seal_and_switch(after);
    }

    // ---- operands in flight -------------------------------------------------------------------------------------

    /// Keeps an operand while others are evaluated: if they leave or panic, it is dropped.
    pub(super) fn hold(&mut self, operand: ValueId, ty: Ty) -> Held {
        let flow = self.flow_ty(ty);
        if !self.cx.out.types.data(flow).needs_drop || self.b.is_dead() {
            return Held { operand, root: None };
        }
        let storage = if self.is_memory(flow) {
            Storage::Pointer(operand)
        } else {
            let var = self.b.var(flow);
            self.b.write(var, operand);
            Storage::Var(var)
        };
        let root = self.root_with(storage, ty, &[]);
        self.mark_init(root);
        self.schedule_in(root, |_| true);
        Held { operand, root: Some(root) }
    }

    /// Takes a held operand back.
    pub(super) fn release(&mut self, held: Held) -> ValueId {
        if let Some(flag) = held.root.and_then(|root| self.roots[root.index()].flag) {
            let no = self.flag_value(false);
            self.b.write(flag, no);
        }
        held.operand
    }

    /// Evaluates operands in order.
    pub(super) fn operands(&mut self, exprs: &[ExprId]) -> Result<Vec<ValueId>> {
        let mut held = Vec::new();
        for &e in exprs {
            let ty = self.expr_ty(e);
            let operand = self.value(e)?;
            held.push(self.hold(operand, ty));
        }
        Ok(held.into_iter().map(|h| self.release(h)).collect())
    }

    // ---- calls --------------------------------------------------------------------------------------------------

    /// Calls, with clean-up if something is held; the result as an operand.
    pub(super) fn call(
        &mut self,
        callee: Callee,
        mut args: Vec<ValueId>,
        ret: TypeId,
        can_panic: bool,
    ) -> ValueId {
        let by_address = self.is_memory(ret).then(|| self.temp_memory(ret));
        if let Some(pointer) = by_address {
            args.insert(0, pointer);
        }
        let result = self.cx.out.types.returns_value(ret).then_some(ret);
        let unwind = if can_panic { self.unwind_block() } else { None };
        let value = match (unwind, result) {
            (Some(unwind), _) => self.b.invoke(callee, args, result, unwind),
            (None, Some(ty)) => Some(self.b.op(ty, OpKind::Call(callee, args))),
            (None, None) => {
                self.b.effect(OpKind::Call(callee, args));
                None
            }
        };
        if *self.get(ret) == crate::flow::types::Type::Never {
            self.b.end(Terminator::Unreachable);
            return self.b.constant(ret, 0);
        }
        match value.or(by_address) {
            Some(operand) => operand,
            None => panic!("a call without a result"),
        }
    }

    /// The block that drops all that is held; none if nothing is.
    fn unwind_block(&mut self) -> Option<BlockId> {
        if self.in_cleanup || self.b.is_dead() {
            return None;
        }
        let roots: Vec<Root> = self.scopes.iter().flat_map(|s| s.roots.clone()).collect();
        let mut held = Vec::new();
        for root in roots {
            let Some(flag) = self.roots[root.index()].flag else { continue };
            let value = self.b.read(flag);
            match self.b.known_const(value) {
                Some(0) => {}
                known => held.push((root, known.is_some())),
            }
        }
        if held.is_empty() {
            return None;
        }
        if let Some(&block) = self.cleanups.get(&held) {
            return Some(block);
        }
        let back = self.b.current();
        let block = self.b.new_block();
        self.cleanups.insert(held.clone(), block);
        self.b.switch_to(block);
        self.in_cleanup = true;
        for &(root, _) in held.iter().rev() {
            self.drop_root(root);
        }
        self.in_cleanup = false;
        self.b.end(Terminator::ResumeUnwind);
        self.b.switch_to(back);
        Some(block)
    }

    // ---- jumps --------------------------------------------------------------------------------------------------

    pub(super) fn break_loop(&mut self, target: LoopId, operand: ValueId) {
        let at = self.loops[&target].clone();
        self.b.write(at.result, operand);
        self.exit_scopes(at.depth);
        self.b.goto(at.break_to);
    }

    pub(super) fn continue_loop(&mut self, target: LoopId, enters_jit: bool) {
        let at = self.loops[&target].clone();
        self.exit_scopes(at.depth);
        let Some(head) = at.continue_to else { panic!("`continue` of a block") };
        if self.body.portal_loop == Some(target) && self.portal.is_some() {
            self.carry_params();
        }
        if enters_jit {
            self.b.effect(OpKind::CanEnterJit);
        }
        self.b.goto(head);
    }

    /// Reads the portal's parameters that live in memory into the values that the merge point takes.
    pub(super) fn carry_params(&mut self) {
        let Some(portal) = &self.portal else { return };
        let carried: Vec<(Root, Var)> =
            portal.params.iter().filter_map(|p| Some((p.root, p.carried?))).collect();
        for (root, var) in carried {
            let place = self.root_place(root);
            let value = self.read(&place);
            self.b.write(var, value);
        }
    }

    /// The merge point, at the head of the portal's loop.
    pub(super) fn merge_point(&mut self) {
        let Some(portal) = &self.portal else { return };
        let id = portal.id;
        let params: Vec<(Root, Option<Var>)> = portal.params.iter().map(|p| (p.root, p.carried)).collect();
        let mut args = Vec::new();
        for &(root, carried) in &params {
            args.push(match (carried, self.roots[root.index()].storage) {
                (Some(var), _) | (None, Storage::Var(var)) => self.b.read(var),
                (None, Storage::Pointer(pointer)) => pointer,
                (None, Storage::Slot(_)) => panic!("a parameter in a slot is carried"),
            });
        }
        self.b.effect(OpKind::MergePoint(id, args.clone()));
        for (&(root, carried), value) in params.iter().zip(args) {
            if carried.is_some() {
                let place = self.root_place(root);
                self.store(&place, value);
            }
            self.mark_init(root);
        }
    }
}
