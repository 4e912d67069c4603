//! What generated traces work on: a program's descriptors, objects in memory that fit them, and calls.
//!
//! Every object has the same layout, in parts of one alias class each, so that the descriptors tell the truth:
//!
//! | bytes | class | content |
//! |---|---|---|
//! | 0..32 | words | integers, accessed at every width |
//! | 32..64 | bytes | an array of bytes |
//! | 64..96 | ints | an array of `i32` |
//! | 96..128 | floats | an array of `f64`, read as words too |
//! | 128..144 | pointers | addresses of objects |
//! | 144..656 | tape | integers, for indices and addresses that move from passage to passage |
//!
//! Nodes are smaller objects: a word, a float, the address of a node, the address of a float inside a node. What a node holds is
//! of classes of its own.

use metatrace_backend::{Context, Shim, pending};
use metatrace_defs::alloc::{Alloc, AllocId, Elements, Memory};
use metatrace_defs::descr::{Access, Class, ClassId, ClassSet, LoadTime, Reach, Scalar, call_flag};
use metatrace_defs::{AccessId, CallDescr, CallId, JitCode, Kind, Program};

/// Bytes of an object.
pub const OBJECT: u64 = TAPE + 8 * TAPE_WORDS;
/// Where the tape starts in an object.
pub const TAPE: u64 = 144;
/// Words of a tape.
pub const TAPE_WORDS: u64 = 64;
/// Objects in memory; one more stands in the local memory of the frame.
pub const OBJECTS: u64 = 3;
/// Nodes in memory, behind the objects.
pub const NODES: u64 = 3;
/// Words of a node.
pub const NODE_WORDS: u64 = 4;
/// Registers of each kind that the program's jitcodes have.
pub const REGISTERS: u16 = 12;

const WORDS: ClassId = ClassId(0);
const BYTES: ClassId = ClassId(1);
const INTS: ClassId = ClassId(2);
const FLOATS: ClassId = ClassId(3);
const POINTERS: ClassId = ClassId(4);
const TAPES: ClassId = ClassId(5);
const NODE_INTS: ClassId = ClassId(6);
const NODE_FLOATS: ClassId = ClassId(7);
const NODE_POINTERS: ClassId = ClassId(8);
const LENGTHS: ClassId = ClassId(9);
const ARRAYS: ClassId = ClassId(10);
const NODE_INSIDES: ClassId = ClassId(11);
const BUFFERS: ClassId = ClassId(12);

/// A node.
pub const NODE: AllocId = AllocId(0);
/// A node in plain memory.
pub const PLAIN_NODE: AllocId = AllocId(1);
/// An array of words.
pub const ARRAY: AllocId = AllocId(2);
/// An object.
pub const LARGE: AllocId = AllocId(3);

/// Words in plain memory.
pub const BUFFER: AllocId = AllocId(4);

/// The word of a node.
pub const NODE_WORD: AccessId = AccessId(0);
/// The float of a node.
pub const NODE_FLOAT: AccessId = AccessId(1);
/// The address in a node.
pub const NODE_NEXT: AccessId = AccessId(2);
/// A float that a reference leads to.
pub const ANY_FLOAT: AccessId = AccessId(3);
/// The length of an array.
pub const ARRAY_LENGTH: AccessId = AccessId(4);
/// The words of an array.
pub const ARRAY_WORDS: AccessId = AccessId(5);
/// The address in a node that is inside a node.
pub const NODE_INSIDE: AccessId = AccessId(9);
/// The words of a buffer.
pub const BUFFER_WORDS: AccessId = AccessId(10);
/// What may be accessed of a node, but for what is inside one.
pub const NODE_USES: &[(AccessId, Content)] = &[
    (NODE_WORD, Content::Word),
    (NODE_WORD, Content::Word),
    (NODE_FLOAT, Content::Float),
    (NODE_NEXT, Content::Node),
    (AccessId(6), Content::Word),
    (AccessId(7), Content::Word),
    (AccessId(8), Content::Word),
];

/// What an access yields or takes, and how it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Any word.
    Word,
    /// A float.
    Float,
    /// The address of an object.
    Pointer,
    /// The address of a node.
    Node,
    /// The address of a float of a node.
    Inside,
    /// The number of a word of a tape, some way from its ends.
    Index,
    /// The address of a word of a tape, some way from its ends.
    Cursor,
}

/// An access that traces may use on an object.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// The descriptor.
    pub access: AccessId,
    /// What it yields or takes.
    pub content: Content,
    /// For elements: the number of elements, a power of two.
    pub elements: Option<u64>,
    /// For an access through an address inside an object: the access that gives the address.
    pub through: Option<AccessId>,
}

/// The descriptors, and what may be done with them.
pub struct World {
    /// The program.
    pub program: Program,
    /// The accesses on objects.
    pub uses: Vec<Use>,
    /// The words of a tape, by their number, from an object's address.
    pub tape: AccessId,
    /// The addresses in an object.
    pub pointers: AccessId,
    /// Words of a tape near to a cursor, and an access to bytes there that may be anywhere.
    pub near: Vec<AccessId>,
}

impl World {
    /// The world.
    pub fn new() -> World {
        let class = |name: &str, leaf| Class { name: name.to_string(), leaf };
        let mut world = World {
            program: Program {
                classes: vec![
                    class("words", 0),
                    class("bytes", 1),
                    class("ints", 0),
                    class("floats", 2),
                    class("pointers", 3),
                    class("tape", 4),
                    class("node word", 0),
                    class("node float", 2),
                    class("node next", 3),
                    class("length", 5),
                    class("array", 0),
                    class("node inside", 3),
                    class("buffer", 0),
                ],
                calls: calls(),
                allocs: allocs(),
                jitcodes: vec![jitcode("outer"), jitcode("inner")],
                ..Program::default()
            },
            uses: Vec::new(),
            tape: AccessId(0),
            pointers: AccessId(0),
            near: Vec::new(),
        };
        let class_only = |class| (class, Reach::Class);
        world.access(class_only(NODE_INTS), 0, None, Scalar::Word);
        world.access(class_only(NODE_FLOATS), 8, None, Scalar::Float);
        world.access(class_only(NODE_POINTERS), 16, None, Scalar::Word);
        world.access((NODE_FLOATS, Reach::Leaf), 0, None, Scalar::Float);
        world.access(class_only(LENGTHS), 0, None, Scalar::Word);
        world.access(class_only(ARRAYS), 8, Some(8), Scalar::Word);
        world.access(class_only(NODE_INTS), 0, None, Scalar::I8);
        world.access((NODE_INTS, Reach::Leaf), 4, None, Scalar::U32);
        world.access(class_only(NODE_FLOATS), 8, None, Scalar::Word);
        world.access(class_only(NODE_INSIDES), 24, None, Scalar::Word);
        world.access(class_only(BUFFERS), 0, Some(8), Scalar::Word);
        for (scalar, offsets) in [
            (Scalar::Word, &[0, 8, 16, 24][..]),
            (Scalar::U8, &[0, 3, 8]),
            (Scalar::I8, &[1, 3]),
            (Scalar::U16, &[2, 8]),
            (Scalar::I16, &[2]),
            (Scalar::U32, &[4, 16]),
            (Scalar::I32, &[4, 20]),
            (Scalar::Float, &[24]),
        ] {
            for &offset in offsets {
                world.field(class_only(WORDS), offset, scalar);
            }
        }
        world.elements(class_only(BYTES), 32, 32, Scalar::U8);
        world.elements(class_only(BYTES), 32, 32, Scalar::I8);
        world.elements(class_only(BYTES), 32, 16, Scalar::U16);
        world.elements(class_only(INTS), 64, 8, Scalar::I32);
        world.elements(class_only(INTS), 64, 8, Scalar::U32);
        world.elements(class_only(FLOATS), 96, 4, Scalar::Float);
        world.elements(class_only(FLOATS), 96, 4, Scalar::Word);
        world.elements(class_only(POINTERS), 128, 2, Scalar::Word);
        world.pointers = world.find(POINTERS, Scalar::Word);
        world.field(class_only(POINTERS), 136, Scalar::Word);
        // Wild accesses: through a reference to a word or an int, and through a raw pointer.
        world.field((WORDS, Reach::Leaf), 8, Scalar::Word);
        world.elements((INTS, Reach::Leaf), 0, 8, Scalar::I32);
        world.field((BYTES, Reach::Anything), 33, Scalar::U8);
        world.elements((WORDS, Reach::Anything), 0, 16, Scalar::Word);
        for element in [AccessId(11), AccessId(12)] {
            world.through(element, (WORDS, Reach::Leaf), Scalar::U8);
            world.through(element, (WORDS, Reach::Anything), Scalar::Word);
        }
        let bytes = world.find(BYTES, Scalar::U8);
        world.through(bytes, (BYTES, Reach::Leaf), Scalar::U8);
        world.through(bytes, (BYTES, Reach::Anything), Scalar::I8);
        let ints = world.find(INTS, Scalar::I32);
        world.through(ints, (INTS, Reach::Class), Scalar::I32);
        world.tape = world.access((TAPES, Reach::Class), TAPE, Some(8), Scalar::Word);
        world.near = [0, 8, 16, 8u64.wrapping_neg(), 4]
            .into_iter()
            .map(|offset| world.access((TAPES, Reach::Class), offset, None, Scalar::Word))
            .collect();
        let wild = world.access((TAPES, Reach::Anything), 0, None, Scalar::U8);
        world.near.push(wild);
        world
    }

    fn find(&self, class: ClassId, scalar: Scalar) -> AccessId {
        let is_it = |access: &Access| access.class == class && access.scalar == scalar;
        AccessId::new(self.program.accesses.iter().position(is_it).expect("an access of the class"))
    }

    fn access(
        &mut self,
        reach: (ClassId, Reach),
        offset: u64,
        stride: Option<u64>,
        scalar: Scalar,
    ) -> AccessId {
        let (class, reach) = reach;
        self.program.accesses.push(Access {
            name: format!("{}+{offset}", self.program.classes[class.index()].name),
            offset: LoadTime::Literal(offset),
            stride: stride.map(LoadTime::Literal),
            scalar,
            class,
            reach,
            flags: 0,
        });
        AccessId::new(self.program.accesses.len() - 1)
    }

    fn field(&mut self, reach: (ClassId, Reach), offset: u64, scalar: Scalar) {
        let access = self.access(reach, offset, None, scalar);
        self.uses.push(Use { access, content: content(reach.0, scalar), elements: None, through: None });
    }

    fn elements(&mut self, reach: (ClassId, Reach), offset: u64, count: u64, scalar: Scalar) {
        let access = self.access(reach, offset, Some(scalar.bytes() as u64), scalar);
        self.uses.push(Use {
            access,
            content: content(reach.0, scalar),
            elements: Some(count),
            through: None,
        });
    }

    /// An access at the address that another access gives.
    fn through(&mut self, outer: AccessId, reach: (ClassId, Reach), scalar: Scalar) {
        let elements = self.uses.iter().find(|found| found.access == outer).and_then(|found| found.elements);
        let access = self.access(reach, 0, None, scalar);
        self.uses.push(Use { access, content: content(reach.0, scalar), elements, through: Some(outer) });
    }

    /// Fills an object: `random` gives any word, `pointer` the address of any object.
    pub fn fill(object: &mut [u64], mut random: impl FnMut() -> u64, mut pointer: impl FnMut() -> u64) {
        for (n, word) in object.iter_mut().enumerate() {
            *word = if n == 16 || n == 17 { pointer() } else { random() };
        }
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

fn content(class: ClassId, scalar: Scalar) -> Content {
    match (class, scalar) {
        (POINTERS, _) => Content::Pointer,
        (_, Scalar::Float) => Content::Float,
        _ => Content::Word,
    }
}

fn jitcode(name: &str) -> JitCode {
    JitCode {
        name: name.to_string(),
        params: vec![],
        results: vec![],
        words: REGISTERS,
        floats: REGISTERS,
        constants: vec![],
        slots: vec![],
        code: vec![],
        switches: vec![],
        live: vec![],
        positions: vec![],
    }
}

/// The kinds of arguments that a call takes beyond what its descriptor says: which are pointers.
pub struct Callee {
    /// The descriptor.
    pub call: CallId,
    /// The arguments.
    pub args: &'static [Content],
}

/// Changes a node.
pub const POKE_NODE: CallId = CallId(5);

/// Every call.
pub const CALLEES: &[Callee] = &[
    Callee { call: CallId(0), args: &[Content::Word, Content::Word] },
    Callee { call: CallId(1), args: &[Content::Pointer] },
    Callee { call: CallId(2), args: &[Content::Pointer, Content::Word] },
    Callee { call: CallId(3), args: &[Content::Word] },
    Callee { call: CallId(4), args: &[Content::Word] },
    Callee { call: POKE_NODE, args: &[Content::Node] },
    Callee { call: CallId(6), args: &[Content::Word, Content::Pointer, Content::Word] },
];

fn allocs() -> Vec<Alloc> {
    let literal = LoadTime::Literal;
    let collected = Memory::Collected { header: literal(0) };
    let plain = Memory::Plain { align: literal(8) };
    let alloc = |name: &str, memory, size, elements| Alloc {
        name: name.to_string(),
        memory,
        size: literal(size),
        elements,
    };
    let words = Elements { stride: literal(8), length: Some(literal(0)) };
    vec![
        alloc("node", collected, 8 * NODE_WORDS, None),
        alloc("plain node", plain, 8 * NODE_WORDS, None),
        alloc("array", collected, 8, Some(words)),
        alloc("object", collected, OBJECT, None),
        alloc("buffer", plain, 0, Some(Elements { stride: literal(8), length: None })),
    ]
}

fn calls() -> Vec<CallDescr> {
    let none = || ClassSet::Some(vec![]);
    let call = |name: &str, shim, args: &[Kind], results: &[Kind], reads, writes, flags| CallDescr {
        name: name.to_string(),
        shim,
        args: args.to_vec(),
        results: results.to_vec(),
        reads,
        writes,
        flags,
    };
    let (w, f) = (Kind::Word, Kind::Float);
    let nodes = || ClassSet::Some(vec![NODE_INTS, NODE_FLOATS, NODE_POINTERS, NODE_INSIDES]);
    let bytes = || ClassSet::Some(vec![BYTES]);
    let elidable = call_flag::ELIDABLE;
    vec![
        call("mix", 0, &[w, w], &[w], none(), none(), elidable),
        call("bump", 1, &[w], &[w], bytes(), bytes(), 0),
        call("poke", 2, &[w, w], &[], ClassSet::All, ClassSet::All, call_flag::CAN_COLLECT),
        call("may_panic", 3, &[w], &[w, f], none(), none(), call_flag::CAN_PANIC),
        call("checked", 4, &[w], &[w], none(), none(), elidable | call_flag::CAN_PANIC),
        call("poke_node", 5, &[w], &[w], nodes(), nodes(), call_flag::CAN_COLLECT),
        call(
            "poke_if",
            6,
            &[w, w, w],
            &[],
            ClassSet::All,
            ClassSet::All,
            call_flag::CONDITIONAL | call_flag::CAN_COLLECT | call_flag::CAN_PANIC,
        ),
    ]
}

/// The shims of the calls.
pub fn shims() -> [Shim; 7] {
    [
        Shim(mix as *const ()),
        Shim(bump as *const ()),
        Shim(poke as *const ()),
        Shim(may_panic as *const ()),
        Shim(checked as *const ()),
        Shim(poke_node as *const ()),
        Shim(poke_if as *const ()),
    ]
}

extern "C" fn mix(_: *mut Context, a: u64, b: u64) -> u64 {
    a.wrapping_mul(31).wrapping_add(b)
}

/// Changes a byte of the array of bytes.
extern "C" fn bump(_: *mut Context, object: u64) -> u64 {
    let byte = (object + 40) as *mut u8;
    // SAFETY: generated traces hand addresses of objects over, which nothing else refers to.
    unsafe {
        *byte = (*byte).wrapping_add(3);
        u64::from(*byte)
    }
}

/// Changes the word of a node, and of the one whose address it holds.
extern "C" fn poke_node(_: *mut Context, node: u64) -> u64 {
    let node = node as *mut u64;
    // SAFETY: generated traces hand addresses of nodes over, which hold addresses of nodes.
    unsafe {
        *node = (*node).wrapping_add(5);
        let next = *node.add(2) as *mut u64;
        *next ^= 3;
        *next
    }
}

/// Changes words and floats.
extern "C" fn poke(_: *mut Context, object: u64, word: u64) -> u64 {
    for offset in [8, 17, 96] {
        let place = (object + offset) as *mut u8;
        // SAFETY: as above; these bytes are within the object.
        unsafe { *place ^= word as u8 };
    }
    0
}

/// As [`poke`], unless the condition is 0; panics at times.
extern "C" fn poke_if(context: *mut Context, condition: u64, object: u64, word: u64) -> u64 {
    if condition != 0 {
        poke(context, object, word);
        if word % 16 == 5 {
            // SAFETY: the engine hands its context over.
            unsafe { (*context).pending |= pending::PANIC };
        }
    }
    0
}

extern "C" fn may_panic(context: *mut Context, word: u64) -> u64 {
    // SAFETY: the engine hands its context over.
    let context = unsafe { &mut *context };
    if word % 16 == 5 {
        context.pending |= pending::PANIC;
    }
    context.results[1] = (word as u8 as f64).to_bits();
    word.rotate_left(7)
}

extern "C" fn checked(context: *mut Context, word: u64) -> u64 {
    if word % 16 == 6 {
        // SAFETY: as above.
        unsafe { (*context).pending |= pending::PANIC };
    }
    word ^ 0xff
}
