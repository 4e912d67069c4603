//! A program as the interpreters execute it: decoded from its image once per process.
//!
//! In: the glue of a program. Out: the verified program with the glue's numbers in place, its instructions taken apart,
//! and the layout of local memory. Image and glue that do not belong together are refused.

use metatrace_defs::code::{Decoded, decode_all};
use metatrace_defs::descr::{Access, Class, ClassId, LoadTime, Reach, Scalar};
use metatrace_defs::inst::Operand;
use metatrace_defs::jitcode::{Portal, PortalId};
use metatrace_defs::{AccessId, JitCode, JitCodeId, Kind, Program, image, verify};

use crate::rt::{ProgramGlue, Shim};

/// A program that is ready to run.
#[derive(Debug)]
pub struct Loaded {
    /// The program, resolved, with two accesses more than the image has: [`Loaded::flag`] and
    /// [`Loaded::owner_box`].
    pub program: Program,
    /// The call shims.
    pub shims: &'static [Shim],
    /// A word of the runtime's own, at an address.
    pub flag: AccessId,
    /// The address of an owner's box, which a reference to the owner refers to.
    pub owner_box: AccessId,
    bodies: Vec<Body>,
    portals: Vec<PortalFacts>,
}

/// What is often asked of a portal.
#[derive(Debug)]
pub struct PortalFacts {
    /// Which word of the parameters is the owner.
    pub owner: usize,
    /// Which words of the parameters are red.
    pub reds: Vec<usize>,
    /// Which words of the parameters are green, but for the owner.
    pub greens: Vec<usize>,
}

impl PortalFacts {
    fn new(portal: &Portal) -> PortalFacts {
        let owner = portal.params.iter().position(|param| param.owner).expect("a portal has an owner");
        let owner = portal.params[..owner].iter().map(|param| param.kinds.len()).sum();
        let words = portal.params.iter().flat_map(|param| param.kinds.iter().map(|_| param.green));
        let (greens, reds): (Vec<_>, Vec<_>) = words.enumerate().partition(|(_, green)| *green);
        let numbers = |words: Vec<(usize, bool)>| words.into_iter().map(|(n, _)| n);
        PortalFacts {
            owner,
            reds: numbers(reds).collect(),
            greens: numbers(greens).filter(|&n| n != owner).collect(),
        }
    }
}

/// The instructions of a jitcode.
#[derive(Debug)]
pub struct Body {
    /// In order.
    pub insts: Vec<Decoded>,
    /// The number of the instruction at a position of the code.
    index: Vec<u32>,
    /// Where the slots lie in the local memory of an activation, and their sizes, in bytes.
    slots: Vec<(u32, u32)>,
    /// The size of the local memory of an activation, in bytes; a multiple of 16.
    pub locals: u32,
    /// The number of word registers: the float registers follow them.
    words: usize,
    /// The number of registers.
    pub registers: usize,
}

impl Body {
    fn new(jitcode: &JitCode) -> Result<Body, String> {
        let insts = decode_all(&jitcode.code).map_err(|e| format!("{}: {e}", jitcode.name))?;
        let mut index = vec![u32::MAX; jitcode.code.len() + 1];
        for (n, inst) in insts.iter().enumerate() {
            index[inst.pc as usize] = n as u32;
        }
        index[jitcode.code.len()] = insts.len() as u32;
        let (mut slots, mut end) = (vec![], 0u64);
        for slot in &jitcode.slots {
            let at = end.next_multiple_of(slot.align.get().max(1));
            slots.push((at as u32, slot.size.get() as u32));
            end = at + slot.size.get();
        }
        let locals = u32::try_from(end.next_multiple_of(16)).map_err(|_| "local memory is too large")?;
        let words = usize::from(jitcode.words);
        Ok(Body { insts, index, slots, locals, words, registers: words + usize::from(jitcode.floats) })
    }

    /// The number of the instruction at `pc`.
    pub fn at(&self, pc: u32) -> usize {
        self.index[pc as usize] as usize
    }

    /// The position of an instruction, or of the end.
    pub fn pc(&self, at: usize) -> u32 {
        self.insts.get(at).map_or_else(|| self.insts.last().map_or(0, |last| last.next), |inst| inst.pc)
    }

    /// Where a slot lies in the local memory of an activation, and its size, in bytes.
    pub fn slot(&self, slot: u32) -> (u32, u32) {
        self.slots[slot as usize]
    }

    /// The size of the slot that starts at a byte of the local memory of an activation.
    pub fn slot_at(&self, byte: u32) -> Option<u32> {
        self.slots.iter().filter(|&&(start, _)| start == byte).map(|&(_, size)| size).max()
    }

    /// The place of a register in the register file of an activation.
    pub fn register(&self, operand: Operand) -> usize {
        match operand.kind() {
            Kind::Word => operand.index(),
            Kind::Float => self.words + operand.index(),
        }
    }
}

impl Loaded {
    /// Decodes, checks and resolves the program of `glue`.
    ///
    /// # Errors
    /// An image that is damaged, or of another input than the glue.
    pub fn new(glue: &ProgramGlue) -> Result<Loaded, String> {
        let refused = |reason: &dyn std::fmt::Display| {
            format!(
                "metatrace: the jitcode in this binary does not fit its glue: {reason}; build it again from scratch"
            )
        };
        let mut program = image::find(glue.image, glue.hash).map_err(|e| refused(&e))?;
        if program.glue_values.len() != glue.values.len() || program.glue_shims.len() != glue.shims.len() {
            return Err(refused(&"the numbers of values and shims differ"));
        }
        let values: Vec<u64> = glue.values.iter().map(|value| value()).collect();
        program.resolve(&values);
        if cfg!(debug_assertions) {
            verify::verify(&program).map_err(|errors| refused(&errors.join("; ")))?;
        }
        let bodies: Vec<Body> =
            program.jitcodes.iter().map(Body::new).collect::<Result<_, _>>().map_err(|e| refused(&e))?;
        let flag = add_access(&mut program, "metatrace.flag", Reach::Class);
        let owner_box = add_access(&mut program, "metatrace.owner_box", Reach::Anything);
        let portals = program.portals.iter().map(PortalFacts::new).collect();
        Ok(Loaded { program, shims: glue.shims, flag, owner_box, bodies, portals })
    }

    /// The instructions of a jitcode.
    pub fn body(&self, id: JitCodeId) -> &Body {
        &self.bodies[id.index()]
    }

    /// A portal.
    pub fn portal(&self, id: PortalId) -> &Portal {
        &self.program.portals[id.index()]
    }

    /// What is often asked of a portal.
    pub fn facts(&self, id: PortalId) -> &PortalFacts {
        &self.portals[id.index()]
    }

    /// The portal whose jitcode this is.
    pub fn portal_of(&self, jitcode: JitCodeId) -> Option<PortalId> {
        self.program.portals.iter().position(|portal| portal.jitcode == jitcode).map(PortalId::new)
    }
}

/// Adds an access to a word at an address.
fn add_access(program: &mut Program, name: &str, reach: Reach) -> AccessId {
    let leaf = program.classes.iter().map(|class| class.leaf + 1).max().unwrap_or(0);
    program.classes.push(Class { name: name.into(), leaf });
    program.accesses.push(Access {
        name: name.into(),
        offset: LoadTime::Literal(0),
        stride: None,
        scalar: Scalar::Word,
        class: ClassId::new(program.classes.len() - 1),
        reach,
        flags: 0,
    });
    AccessId::new(program.accesses.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_and_glue_belong_together() {
        let program = Program { name: "p".into(), hash: 5, ..Program::default() };
        let load = |image: Vec<u8>, hash, values: &'static [fn() -> u64]| {
            Loaded::new(&ProgramGlue::new(image.leak(), hash, values, &[])).map(|loaded| loaded.program.name)
        };
        assert_eq!(load(image::encode(&program), 5, &[]), Ok("p".into()));
        let refused = |error: Result<String, String>| {
            let message = error.expect_err("it does not belong together");
            assert!(message.contains("does not fit its glue"), "{message}");
        };
        refused(load(image::encode(&program), 6, &[]));
        refused(load(image::encode(&program), 5, &[|| 1]));
        refused(load(image::encode(&program)[..20].to_vec(), 5, &[]));
    }
}
