//! The table of hints: what an interpreter author writes.

/// Calls `$m!` with every hint.
///
/// Columns: name, variant, form. Forms: `Attribute` (`#[jit::name]` on a function), `Function` (`jit::name(x)`),
/// `Statement` (`jit::name!()`), `FieldType` (`metatrace::name<T>`), `PortalOption` (an argument of `#[jit::portal]`).
#[macro_export]
macro_rules! for_each_hint {
    ($m:ident) => {
        $m! {
            /// The function with the interpreter's loop; traces start and end at its merge point.
            portal = Portal, Attribute;
            /// The first statement of the portal's loop.
            merge_point = MergePoint, Statement;
            /// A back edge of the interpreted program ends here.
            can_enter_jit = CanEnterJit, Statement;
            /// The result depends on the arguments alone, and there is no effect.
            elidable = Elidable, Attribute;
            /// The tracer calls the function and does not look inside.
            dont_look_inside = DontLookInside, Attribute;
            /// The tracer calls the function, which writes nothing that traced code reads.
            reads_only = ReadsOnly, Attribute;
            /// The tracer follows the function's loops to their end.
            unroll_safe = UnrollSafe, Attribute;
            /// The tracer follows the function, and its loops to their end, if another function of the same arguments says so, and calls
            /// it otherwise.
            look_inside_iff = LookInsideIff, Attribute;
            /// The result is the same whenever called within one run of a loop.
            loop_invariant = LoopInvariant, Attribute;
            /// The trace treats the value as a constant, after a guard.
            promote = Promote, Function;
            /// The tracer calls the function and leaves the call out of the trace: compiled code does not call it.
            not_in_trace = NotInTrace, Attribute;
            /// Whether the trace knows the value as a constant; never outside of traces.
            isconstant = IsConstant, Function;
            /// Whether the trace made the object itself, so that it is likely to need no memory; never outside of traces.
            isvirtual = IsVirtual, Function;
            /// The first value is the second, which the trace knows as a constant: no guard tests it.
            record_exact_value = RecordExactValue, Function;
            /// Calls a function with an argument if a condition holds, without a guard for the condition.
            conditional_call = ConditionalCall, Function;
            /// The value if there is one, otherwise what an elidable function gives for an argument; without a guard.
            conditional_call_elidable = ConditionalCallElidable, Function;
            /// Whether a loop over so many elements of a list is worth unrolling: there are none, they are known and few, or the trace
            /// made the list.
            loop_unrolling_heuristic = LoopUnrollingHeuristic, Function;
            /// The recording is given up unless the trace knows the value as a constant.
            assert_green = AssertGreen, Function;
            /// The operations recorded so far; -1 outside of recordings.
            current_trace_length = CurrentTraceLength, Function;
            /// Whether the code runs in the JIT.
            we_are_jitted = WeAreJitted, Function;
            /// A field that traces take for constant; whenever it is written, those are gone that did.
            QuasiImmut = QuasiImmut, FieldType;
            /// Which parameter owns the traces.
            owner = Owner, PortalOption;
            /// Which parameters are the key of traces.
            greens = Greens, PortalOption;
            /// The portal's name in logs.
            name = Name, PortalOption;
        }
    };
}

/// How a hint is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintForm {
    /// `#[jit::name]` on a function.
    Attribute,
    /// `jit::name(x)`.
    Function,
    /// `jit::name!()`.
    Statement,
    /// `metatrace::name<T>`, the type of a field.
    FieldType,
    /// An argument of `#[jit::portal(…)]`.
    PortalOption,
}

macro_rules! define_hint {
    ($( $(#[doc = $doc:literal])* $name:ident = $variant:ident, $form:ident; )*) => {
        /// A hint.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Hint {
            $( $(#[doc = $doc])* $variant, )*
        }

        impl Hint {
            /// Every hint, in the table's order.
            pub const ALL: &'static [Hint] = &[$(Hint::$variant),*];

            /// The name in the source.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Hint::$variant => stringify!($name), )*
                }
            }

            /// How it is written.
            pub const fn form(self) -> HintForm {
                match self {
                    $( Hint::$variant => HintForm::$form, )*
                }
            }

            /// What it says, in one sentence.
            pub const fn doc(self) -> &'static str {
                match self {
                    $( Hint::$variant => concat!($($doc),*), )*
                }
            }

            /// The hint of this name and form.
            pub fn find(name: &str, form: HintForm) -> Option<Hint> {
                Self::ALL.iter().copied().find(|h| h.name() == name && h.form() == form)
            }
        }
    };
}
for_each_hint!(define_hint);

/// A number that stands for a function's name where types must tell portals apart (FNV-1a).
pub const fn name_number(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (mut hash, mut n) = (0xcbf2_9ce4_8422_2325u64, 0);
    while n < bytes.len() {
        hash = (hash ^ bytes[n] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        n += 1;
    }
    hash
}
