//! Owners of traces, seen from their side: the link to a VM, and the news that one is gone.
//!
//! An owner's header names the VM that keeps traces of it, and its number there. When it is dropped or changed on the VM's
//! thread, the VM is told at once; on another thread, by a mailbox that VMs look into at back edges and when an owner is linked.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::VmState;
use crate::traced::TracedHeader;

metatrace_defs::entity! {
    /// An owner that a VM keeps traces of.
    OwnerId = "owner"
}

/// The link from an owner to the VM that keeps traces of it.
#[derive(Debug, Default)]
pub struct Link {
    /// The identity of the VM; 0 for none.
    vm: Cell<u32>,
    owner: Cell<u32>,
}

/// News for VMs of other threads.
#[derive(Default)]
struct Mail {
    living: BTreeSet<u32>,
    gone: Vec<(u32, OwnerId)>,
}

static MAIL: Mutex<Mail> = Mutex::new(Mail { living: BTreeSet::new(), gone: Vec::new() });
/// How much mail was ever sent.
static SENT: AtomicU64 = AtomicU64::new(0);

fn mail() -> std::sync::MutexGuard<'static, Mail> {
    MAIL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A VM began or ended.
pub fn living(vm: u32, lives: bool) {
    let mut mail = mail();
    if lives {
        mail.living.insert(vm);
    } else {
        mail.living.remove(&vm);
        mail.gone.retain(|&(to, _)| to != vm);
    }
}

impl Link {
    /// Tells the VM that the owner is gone or changes.
    pub fn cut(&self) {
        let vm = self.vm.replace(0);
        if vm == 0 {
            return;
        }
        tell_gone(vm, OwnerId(self.owner.get()));
    }
}

fn tell_gone(vm: u32, owner: OwnerId) {
    if let Some(vm) = super::find(vm) {
        vm.owner_gone(owner);
        return;
    }
    let mut mail = mail();
    if mail.living.contains(&vm) {
        mail.gone.push((vm, owner));
        SENT.fetch_add(1, Ordering::Release);
    }
}

/// The link of a quasi-immutable field, an owner like others: in the high bits the identity of the VM that keeps traces which rely
/// on the field, or 0, in the middle its number there, and in the low bits how often traces became invalid by writes.
#[derive(Clone, Copy)]
struct FieldLink(u64);

impl FieldLink {
    const VM_SHIFT: u32 = 40;
    const OWNER_SHIFT: u32 = 8;
    const MOST_CHANGES: u64 = 255;

    fn vm(self) -> u32 {
        (self.0 >> Self::VM_SHIFT) as u32
    }

    fn owner(self) -> OwnerId {
        OwnerId((self.0 >> Self::OWNER_SHIFT) as u32)
    }

    fn changes(self) -> u64 {
        self.0 & Self::MOST_CHANGES
    }
}

/// Whether a VM keeps traces that rely on the field with this link.
#[inline(always)]
pub fn is_linked(link: &Cell<u64>) -> bool {
    link.get() > FieldLink::MOST_CHANGES
}

/// Tells the VM that the field with this link changed.
#[cold]
#[inline(never)]
pub fn cut_field(link: &Cell<u64>) {
    let before = FieldLink(link.get());
    // A loop that writes what it relies on would never be recorded to the end: that tells after a few recordings.
    let recording = super::find(before.vm()).filter(|vm| vm.recordings.get() > 0);
    let weight = recording.map_or(1, |vm| vm.options.params.max_invalidations.div_ceil(3));
    link.set((before.changes() + weight).min(FieldLink::MOST_CHANGES));
    tell_gone(before.vm(), before.owner());
}

impl VmState {
    /// The owner whose box is at `address`; from now on its end is told to this VM.
    ///
    /// # Safety
    /// There must be the box of a living owner.
    pub unsafe fn link(&self, address: u64) -> OwnerId {
        // SAFETY: the caller vouches for the address; the header is the first field of the box.
        let header = unsafe { &*(address as usize as *const TracedHeader) };
        let link = &header.link;
        if link.vm.get() == self.id {
            return OwnerId(link.owner.get());
        }
        link.cut();
        let owner = self.tables.borrow_mut().new_owner();
        link.vm.set(self.id);
        link.owner.set(owner.0);
        owner
    }

    /// The quasi-immutable field whose link is at `address`, as an owner; from now on writes are told to this VM. `None` if it was
    /// written too often.
    ///
    /// # Safety
    /// There must be the link of such a field.
    pub unsafe fn link_field(&self, address: u64) -> Option<OwnerId> {
        // SAFETY: the caller vouches for the address.
        let link = unsafe { &*(address as usize as *const Cell<u64>) };
        let now = FieldLink(link.get());
        if now.vm() == self.id {
            return Some(now.owner());
        }
        if now.changes() >= self.options.params.max_invalidations
            || self.id >> (64 - FieldLink::VM_SHIFT) != 0
        {
            return None;
        }
        if is_linked(link) {
            cut_field(link);
        }
        let owner = self.tables.borrow_mut().new_owner();
        let changes = FieldLink(link.get()).changes();
        link.set(
            u64::from(self.id) << FieldLink::VM_SHIFT
                | u64::from(owner.0) << FieldLink::OWNER_SHIFT
                | changes,
        );
        Some(owner)
    }

    /// Reads the mail of other threads.
    pub fn read_mail(self: &Rc<VmState>) {
        let sent = SENT.load(Ordering::Acquire);
        if self.mail_seen.replace(sent) == sent {
            return;
        }
        let mut gone = vec![];
        mail().gone.retain(|&(to, owner)| {
            if to == self.id {
                gone.push(owner);
            }
            to != self.id
        });
        gone.into_iter().for_each(|owner| self.owner_gone(owner));
    }
}
