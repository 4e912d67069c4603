//! The table of abort reasons: why a recording was given up.

/// Calls `$m!` with every abort reason. Columns: name in statistics, variant.
#[macro_export]
macro_rules! for_each_abort {
    ($m:ident) => {
        $m! {
            /// The trace grew longer than `trace_limit`.
            trace_too_long = TraceTooLong;
            /// More activations were open than `max_inline_depth`.
            too_deep = TooDeep;
            /// The function's own code panicked while it was recorded.
            panicked = Panicked;
            /// The collected heap was full while the function was recorded.
            heap_full = HeapFull;
            /// The trace needs more of the frame than `frame_values` or `frame_bytes`.
            frame_too_large = FrameTooLarge;
            /// The backend could not compile the trace.
            not_compilable = NotCompilable;
            /// The machine code would pass `code_limit`.
            code_memory_full = CodeMemoryFull;
            /// The loop has `max_bridges` bridges.
            too_many_bridges = TooManyBridges;
            /// What the function says is constant (`assert_green`) was not.
            not_green = NotGreen;
            /// A value was not what the function says it is (`record_exact_value`).
            wrong_value = WrongValue;
            /// An owner of the trace was dropped or changed while it was recorded.
            owner_changed = OwnerChanged;
            /// A place became hot while too many recordings were under way already.
            nested_recording = NestedRecording;
        }
    };
}

macro_rules! define_abort {
    ($( $(#[doc = $doc:literal])* $name:ident = $variant:ident; )*) => {
        /// Why a recording was given up.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Abort {
            $( $(#[doc = $doc])* $variant, )*
        }

        impl Abort {
            /// Every reason, in the table's order.
            pub const ALL: &'static [Abort] = &[$(Abort::$variant),*];

            /// The name in statistics.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Abort::$variant => stringify!($name), )*
                }
            }

            /// What it means, in one sentence.
            pub const fn doc(self) -> &'static str {
                match self {
                    $( Abort::$variant => concat!($($doc),*), )*
                }
            }
        }
    };
}
for_each_abort!(define_abort);

impl core::fmt::Display for Abort {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
