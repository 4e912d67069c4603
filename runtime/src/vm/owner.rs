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
        let owner = OwnerId(self.owner.get());
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
