/// Declares the instructions with their names, by topic.
macro_rules! instructions {
    ($($topic:ident: $($name:ident)*;)*) => {
        /// An instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op {
            /// Takes the next input into the accumulator.
            Input,
            /// Goes to the beginning as long as there is input, and returns the accumulator then.
            Loop,
            $( $( $name, )* )*
        }

        impl Op {
            /// The bodies of each topic.
            pub const TOPICS: &[(&str, &[Op])] = &[$( (stringify!($topic), &[$( Op::$name ),*]) ),*];
        }
    };
}

instructions! {
    arms: CastU8 CastI32 LogPush CountLocal HostCall ForRange NegHalf Divide Unsigned Logic WrappingMul TuplePattern
        HelperFile MatchValues IfLet While StructReturn ClosureArgument Question;
    arith: PlainI8 PlainU8 PlainI16 PlainU16 PlainI32 PlainU32 PlainI64 PlainU64 PlainIsize PlainUsize ModesI8 ModesU8
        ModesI16 ModesU16 ModesI32 ModesU32 ModesI64 ModesU64 Bits Casts Chars Bools Compare Compound;
    enums: ByValue ByReference ByMutable Guards Nested Payloads Discriminants StoredEnum OptionPayload Niche;
    flow: Labels BreakValue Conditions LetElse EarlyReturn NestedLoops IfLetChain Shadow Never;
    slices: Index Patterns Iterate IterateMut Zipped Arrays ArrayOfStructs Bytes VecOps Swaps Subslice;
    generic: StaticDispatch DefaultMethod Associated GenericFn GenericStruct CaptureRef CaptureMut CaptureMove
        ClosureInStruct ConstGeneric Operators;
    structs: Methods Places MemSwap MemReplace TupleStruct NestedStruct Builder References TakeOption Cells;
    floats: Double Single FromInt ToInt FloatCompare FloatState Rounding FloatBits;
    errors: Chain ResultChain StringError Convert OptionQuestion Fallback Dropped MapErr;
    panics: Unwrap Expect Bounds Explicit Formatted Assert Unreached InHost DropWhilePanicking DivideDeep;
    tables: Constants Statics Table Strings Modules;
}

/// A program.
#[derive(Debug)]
pub struct Code {
    pub ops: Vec<Op>,
}

metatrace::glue!();
