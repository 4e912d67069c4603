//! Greens at merge points: constants of the trace from there on, the owner as the canonical reference to it.

use metatrace_defs::jitcode::{Portal, PortalId};
use metatrace_defs::{Kind, TraceOp};
use metatrace_trace::Attached;

use super::{Recorder, Root, Traced, kinds, merge_point_operands};
use crate::entry::canonical_owner;
use crate::loaded::Loaded;
use crate::machine::{Stack, Values};

impl Recorder<'_> {
    /// Makes the greens constants, and the owner the canonical reference to it, where the topmost activation stands at its
    /// merge point.
    pub(super) fn fix_greens(
        &mut self,
        stack: &mut Stack<Traced>,
        portal: PortalId,
        values: &mut Values<Traced>,
    ) {
        self.promote_greens(stack, portal, values);
        set_parameters(stack, self.loaded, self.loaded.portal(portal), values);
    }

    /// Makes the greens among the words of a portal's parameters constants, and the owner the canonical reference to it.
    pub(super) fn promote_greens(
        &mut self,
        stack: &mut Stack<Traced>,
        portal: PortalId,
        values: &mut Values<Traced>,
    ) {
        let owner = self.loaded.facts(portal).owner;
        for (n, (value, (_, green))) in values.iter_mut().zip(kinds(self.loaded.portal(portal))).enumerate() {
            if green {
                *value =
                    if n == owner { self.fix_owner(stack, *value) } else { self.promoted(stack, *value) };
            }
        }
    }

    /// The canonical reference to the owner that `value` refers to, as a constant.
    ///
    /// A reference need not be canonical, and what it refers to may have been moved in its place: unless that is frozen, the
    /// trace reads the address of the owner's box again and guards it.
    pub(super) fn fix_owner(&mut self, stack: &mut Stack<Traced>, value: Traced) -> Traced {
        let address = crate::entry::owner_box(value.bits);
        if value.opnd.as_const().is_some() && value.root != Root::None {
            self.rely_on(value.root);
        } else {
            let access = Attached::Access(self.loaded.owner_box);
            let found = self.push_one(TraceOp::GetField, &[value.opnd], access, address, Root::None);
            self.promoted(stack, found);
        }
        self.rely_on(Root::Owner(address));
        Traced::constant(Kind::Word, canonical_owner(address), Root::Owner(address))
    }
}

/// Puts the words of the parameters where the merge point reads them, at which the topmost activation stands.
pub(super) fn set_parameters(stack: &mut Stack<Traced>, loaded: &Loaded, portal: &Portal, values: &[Traced]) {
    for (&operand, &value) in merge_point_operands(loaded, portal).iter().zip(values) {
        if !operand.is_const() {
            stack.set(loaded, operand, value);
        }
    }
}
