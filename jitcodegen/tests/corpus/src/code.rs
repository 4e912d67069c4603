/// Declares the instructions with their names, by topic.
macro_rules! instructions {
    ($($topic:ident: $($name:ident)*;)*) => {
        /// An instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
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
    options: OptionMap OptionCombine OptionTake OptionAsRef OptionNested OptionOrder ResultMethods ResultRefs
        ResultUnwrap QuestionConvert QuestionRefs QuestionInside ResultBoxed OptionMapFn OptionInspect
        FlowQuestion;
    iters: EnumerateRev ZipMut MapFilter AnyAll Sums SkipTake Chained Windows LastNth ByHand OwnIterator OwnIntoIter
        IterByValue MinMax Collected ScanFlat Ranges ImplIterator;
    patterns: SlicePat SliceDeep StructConsts AtBindings RefMut Ergonomics OrPatterns ClosureParams FnParams
        AssignStruct TreeMatch StringMatch BoolsChars LetChains;
    order: DropLocals DropMoves DropTemporaries DropIfLet DropTails OperandOrder DropFields DropJumps DropReturns
        DropArguments DropAssigned DropBoxes DropClosures DropArrays DropParts TwoPhase DropGuards DropResults;
    traits: OwnOperators OwnIndex OwnDeref Derives DerivedClone DerivedHash Visitors AssociatedConsts Blanket
        ConstGenerics Objects Supertraits OrderingChain Shown;
    closures: ClosureReturned ClosureDyn FnPointers ClosureKinds PartialCapture ClosureNested ClosurePassed
        ClosureField Recursion ClosureMachine;
    numbers: Wide WideOps CheckedMethods SaturatingMethods Powers Distances BitTricks Conversions Wrappers CharMethods
        ByteMethods BoolMethods FloatMethods NumberLiterals Parsed;
    owned: StringBuilding StringWalk VecMethods VecOfVec Slicing SliceMethods BoxedList Counted CellsAndRefs
        MemFunctions RawPointers Maps Clones Unsized ValueMoves SharedCells BorrowGuards TwiceBorrowed;
    items: ConstTables TableLookup ModuleTree LocalItems OwnMacros Aliases Conditional SelfTypes OwnItems;
    stores: ReadWord WriteWord MoveWord ChangeSmall ChangeForms HalfFloat;
    exprs: LoopForms Blocks Diverging CastForms RangeForms Tuples StructUpdate ReferenceForms Lifetimes InferenceForms
        Unusual Formats GenericCalls Combined;
    hints: HintConstant HintGreen HintLength HintNotInTrace HintInvariant HintElidable
        HintVirtual HintExact HintWrong HintReadsOnly HintConditional HintConditionalPanics HintConditionalElidable HintUnrolling HintIff
        HintQuasiImmut HintQuasiElsewhere;
    texts: TextsPushed TextsShared TextsConverted MapsLookedUp VecsRearranged BoxedSteps;
    buffers: BufferFilled BufferFrame BufferGrown BufferCopied BufferShared BufferManyShared BufferOfNothing BufferNested
        BufferNoisy BufferTooMany BufferPanicking;
    collected: GcObjects GcFallible GcLists GcArrays GcVectors GcBeyond GcIdentity GcWeak GcNamed;
}

/// A program.
#[derive(Debug)]
pub struct Code {
    pub ops: Vec<Op>,
}

metatrace::glue!();
