//! Conditions: `if`, `&&`, `||`, `let` in conditions.

use crate::flow::types::TypeId;
use crate::flow::{BlockId, ValueId};
use crate::lower::Result;
use crate::lower::func::Lower;
use crate::thir::{ExprId, ExprKind, UnOp};

impl Lower<'_, '_> {
    /// Evaluates a condition and goes on at one of two blocks. Variables that `let` binds in it are declared in the current
    /// scope, and have values at `yes`.
    pub(super) fn condition(&mut self, e: ExprId, yes: BlockId, no: BlockId) -> Result<()> {
        match self.body.expr(e).kind.clone() {
            ExprKind::Logical { and, left, right } => {
                let middle = self.b.new_block();
                if and {
                    self.condition(left, middle, no)?;
                } else {
                    self.condition(left, yes, middle)?;
                }
                self.b.seal_and_switch(middle);
                self.condition(right, yes, no)
            }
            ExprKind::Unary { op: UnOp::Not, value }
                if self.expr_ty(e).kind() == &crate::ty::TyKind::Bool =>
            {
                self.condition(value, no, yes)
            }
            ExprKind::Let { place, pat } => {
                let at = self.place(place)?;
                self.test_pattern(pat, &at, yes, no)
            }
            ExprKind::Scope(inner) => {
                // Variables that are bound inside live longer than the temporaries.
                self.push_temporaries();
                let (inner_yes, inner_no) = (self.b.new_block(), self.b.new_block());
                self.condition(inner, inner_yes, inner_no)?;
                let depth = self.scopes.len() - 1;
                for (from, to) in [(inner_yes, yes), (inner_no, no)] {
                    self.b.seal_and_switch(from);
                    self.exit_scopes(depth);
                    self.b.goto(to);
                }
                self.scopes.pop();
                Ok(())
            }
            _ => {
                let value = self.value(e)?;
                self.b.branch(value, yes, no);
                Ok(())
            }
        }
    }

    /// A condition as a `bool`.
    pub(super) fn condition_value(&mut self, e: ExprId) -> Result<ValueId> {
        let bool = self.cx.bool();
        let result = self.b.var(bool);
        let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.condition(e, yes, no)?;
        for (block, value) in [(yes, true), (no, false)] {
            self.b.seal_and_switch(block);
            let value = self.flag_value(value);
            self.b.write(result, value);
            self.b.goto(after);
        }
        self.b.seal_and_switch(after);
        Ok(self.b.read(result))
    }

    pub(super) fn if_expr(
        &mut self,
        cond: ExprId,
        then: ExprId,
        els: Option<ExprId>,
        flow: TypeId,
    ) -> Result<ValueId> {
        let operand_ty = self.operand_ty(flow);
        let result = self.b.var(operand_ty);
        let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        // Variables of the condition live to the end of `then`; where it fails, those that were bound are dropped.
        // So do, since edition 2024, the temporaries of `let` in it.
        let file = self.span(then).file;
        self.push_scope(self.cx.program.edition_in(file) >= 2024);
        self.condition(cond, yes, no)?;
        self.b.seal_and_switch(yes);
        let operand = self.value(then)?;
        let depth = self.scopes.len() - 1;
        self.exit_scopes(depth);
        if !self.b.is_dead() {
            self.b.write(result, operand);
            self.b.goto(after);
        }
        self.b.seal_and_switch(no);
        self.exit_scopes(depth);
        self.scopes.pop();
        let operand = match els {
            Some(els) => self.value(els)?,
            None => self.unit_value(),
        };
        if !self.b.is_dead() {
            self.b.write(result, operand);
            self.b.goto(after);
        }
        self.b.seal_and_switch(after);
        if self.b.is_dead() {
            return Ok(self.nothing(flow));
        }
        Ok(self.b.read(result))
    }
}
