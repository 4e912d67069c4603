//! Calls of portals: which are looked inside, and which become calls of compiled code.
//!
//! A call is looked inside unless the same portal with the same greens is open too often already (recursion), its loop is
//! compiled, or traces became too long by it. Otherwise compiled code calls what is compiled there, whenever that is: the
//! entry is known by a number, and what it calls may change.

use std::rc::Rc;
use std::sync::Arc;

use metatrace_defs::jitcode::PortalId;
use metatrace_trace::{CalledEntry, OpenPortal};
use smallvec::SmallVec;

use super::{Recorder, Traced, kinds};
use crate::entry::{Place, owner_box};
use crate::machine::{Stack, Values, Way};
use crate::vm::tables::{Home, LoopCell};

/// What calls of portals that are looked inside add to the trace.
#[derive(Default)]
pub(super) struct Inlined {
    /// The activations of open ones, what they are calls of, and the length of the trace where they began.
    open: Vec<(usize, Rc<LoopCell>, usize)>,
    /// The one that added most operations.
    longest: Option<(usize, Rc<LoopCell>)>,
}

impl Inlined {
    /// Closes those from activation `frames` on, when the trace has `length` operations.
    fn close(&mut self, frames: usize, length: usize) {
        while let Some((_, cell, begun)) = self.open.pop_if(|(frame, ..)| *frame >= frames) {
            let added = length - begun;
            if self.longest.as_ref().is_none_or(|(most, _)| added > *most) {
                self.longest = Some((added, cell));
            }
        }
    }

    /// The trace became too long: what added most to it is not looked inside again. As RPython's `disable_noninlinable_function`.
    pub fn too_long(&mut self, length: usize) {
        self.close(0, length);
        if let Some((_, cell)) = &self.longest {
            cell.not_inlined.set(true);
        }
    }
}

impl Recorder<'_> {
    /// The portals that are open.
    pub(super) fn open_portals(&mut self, stack: &Stack<Traced>) -> Arc<[OpenPortal]> {
        self.close_portals(stack.frames.len());
        self.open.clone()
    }

    fn close_portals(&mut self, frames: usize) {
        let is_open = |open: &&OpenPortal| (open.frame as usize) < frames;
        if !self.open.iter().all(|open| is_open(&open)) {
            self.open = self.open.iter().filter(is_open).cloned().collect();
            let length = self.length();
            self.inlined.close(frames, length);
        }
    }

    /// The greens of a portal's parameters, the owner as the address of its box.
    pub(super) fn entered_with(&self, portal: PortalId, args: &[Traced]) -> SmallVec<[u64; 8]> {
        let owner = self.loaded.facts(portal).owner;
        let words = args.iter().zip(kinds(self.loaded.portal(portal))).enumerate();
        let greens = words.filter(|(_, (_, (_, green)))| *green);
        greens.map(|(n, (arg, _))| if n == owner { owner_box(arg.bits) } else { arg.bits }).collect()
    }

    /// How to call a portal.
    pub(super) fn call_portal(
        &mut self,
        stack: &mut Stack<Traced>,
        portal: PortalId,
        args: &mut Values<Traced>,
        too_deep: bool,
    ) -> Way {
        let frame = stack.frames.len();
        self.close_portals(frame);
        let greens = self.entered_with(portal, args);
        let same = self.open.iter().filter(|open| open.portal == portal && open.greens == greens).count();
        let cell = self.portal_cell(portal, args);
        let is_loop = cell.entry.get().is_some_and(|entry| entry.is_loop);
        let most = self.vm.options.params.max_unroll_recursion;
        if too_deep || is_loop || cell.not_inlined.get() || same as u64 > most {
            self.promote_greens(stack, portal, args);
            self.call_compiled(stack, portal, args);
            return Way::Native;
        }
        let begun = self.length();
        self.inlined.open.push((frame, cell, begun));
        let opened = OpenPortal { frame: frame as u32, portal, greens };
        self.open = self.open.iter().cloned().chain([opened]).collect();
        Way::Jitcode
    }

    fn portal_cell(&self, portal: PortalId, args: &[Traced]) -> Rc<LoopCell> {
        let words: Values<u64> = args.iter().map(|arg| arg.bits).collect();
        Place::new(Home { program: self.program, portal }).cell(self.vm, &words)
    }

    /// The next call is one of a portal, whose greens are constants: it will call compiled code.
    pub(super) fn call_compiled(&mut self, stack: &Stack<Traced>, portal: PortalId, args: &[Traced]) {
        let cell = self.portal_cell(portal, args);
        let inputs = self.loaded.facts(portal).reds.iter().fold(0, |inputs, &red| inputs | 1 << red);
        let locals = stack.top().end.into();
        self.calling = Some(CalledEntry { target: self.vm.called(&cell), locals, inputs });
        if crate::vm::log::wants_traces() {
            self.note(portal, args);
        }
    }
}
