//! The table of parameters: what a user may set in `METATRACE` or through the API.

/// Calls `$m!` with every parameter.
///
/// Columns: name, default, smallest and largest value.
#[macro_export]
macro_rules! for_each_param {
    ($m:ident) => {
        $m! {
            /// Back edges to the same place before a loop is recorded.
            threshold = Threshold, 1039, 1, 1_000_000_000;
            /// Calls of the same function before it is recorded.
            function_threshold = FunctionThreshold, 1619, 1, 1_000_000_000;
            /// Failures of the same guard before a bridge is recorded.
            trace_eagerness = TraceEagerness, 200, 1, 1_000_000_000;
            /// Operations in a trace before it is given up.
            trace_limit = TraceLimit, 6000, 10, 1_000_000;
            /// Thousands of counted back edges between halvings of the counters; 0 for never.
            decay = Decay, 40, 0, 1_000_000;
            /// Nested activations that the recorder looks inside.
            max_inline_depth = MaxInlineDepth, 100, 1, 1000;
            /// Recursive calls of a function that the recorder looks inside, one within the other, before it has compiled code call
            /// compiled code.
            max_unroll_recursion = MaxUnrollRecursion, 1, 0, 1000;
            /// Loops more that are recorded where a loop is compiled, because a guard of its first passage fails whenever it is
            /// entered.
            retrace_limit = RetraceLimit, 2, 0, 1000;
            /// Guards in a bridge that is recorded on to such a loop.
            max_retrace_guards = MaxRetraceGuards, 30, 0, 1_000_000;
            /// Bridges of one loop.
            max_bridges = MaxBridges, 200, 0, 1_000_000;
            /// Writes of a quasi-immutable field that made traces invalid before traces do not take it for constant any more.
            max_invalidations = MaxInvalidations, 30, 0, 255;
            /// Aborted recordings of the same loop or guard before it is never recorded again.
            max_aborts = MaxAborts, 5, 1, 1_000_000;
            /// Bytes of machine code.
            code_limit = CodeLimit, 67_108_864, 4096, 1_073_741_824;
            /// Jumps between traces from one look at whether to compile them as one to the next; 0 for never.
            region_threshold = RegionThreshold, 20_000, 0, 1_000_000_000;
            /// Jumps between traces that pay for compiling one of their operations as part of a region.
            region_cost = RegionCost, 300, 0, 1_000_000;
            /// Operations of traces that are compiled as one.
            region_limit = RegionLimit, 20_000, 0, 10_000_000;
            /// Values that a trace may keep in its frame.
            frame_values = FrameValues, 1024, 16, 4096;
            /// Bytes of local memory that a trace may keep in its frame.
            frame_bytes = FrameBytes, 65_536, 64, 1_048_576;
            /// Bytes for the local memory of calls between traces, and a quarter as many for their frames, before more is taken.
            nested_bytes = NestedBytes, 262_144, 0, 16_777_216;
            /// 1 to optimise traces, 0 to compile them as they were recorded.
            optimise = Optimise, 1, 0, 1;
            /// 0 for Cranelift, 1 for the reference backend.
            backend = Backend, 0, 0, 1;
            /// 1 to make every guard fail once (a stress mode for tests).
            fail_guards = FailGuards, 0, 0, 1;
            /// Take the code of a loop for invalid at each n-th failure of a guard; 0 for never (a stress mode for tests).
            invalidate_every = InvalidateEvery, 0, 0, 1_000_000_000;
            /// Collect before each n-th allocation from the heaps that are entered with `metatrace::enter`; 0 for when memory
            /// is short (a stress mode for tests).
            gc_every = GcEvery, 0, 0, 1_000_000_000;
            /// Have the n-th allocation from each of these heaps find it full; 0 for none (a stress mode for tests).
            gc_fail_at = GcFailAt, 0, 0, 1_000_000_000_000;
            /// 1 to run hot loops in the blackhole interpreter instead of recording them (a test mode).
            blackhole_only = BlackholeOnly, 0, 0, 1;
        }
    };
}

macro_rules! define_param {
    ($( $(#[doc = $doc:literal])* $name:ident = $variant:ident, $default:literal, $min:literal, $max:literal; )*) => {
        /// A parameter.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Param {
            $( $(#[doc = $doc])* $variant, )*
        }

        impl Param {
            /// Every parameter, in the table's order.
            pub const ALL: &'static [Param] = &[$(Param::$variant),*];

            /// The name in option strings.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Param::$variant => stringify!($name), )*
                }
            }

            /// What it means, in one sentence.
            pub const fn doc(self) -> &'static str {
                match self {
                    $( Param::$variant => concat!($($doc),*), )*
                }
            }

            /// Default, smallest and largest value.
            pub const fn range(self) -> (u64, u64, u64) {
                match self {
                    $( Param::$variant => ($default, $min, $max), )*
                }
            }
        }

        /// The value of every parameter.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Params {
            $( $(#[doc = $doc])* pub $name: u64, )*
        }

        impl Default for Params {
            fn default() -> Self {
                Params { $($name: $default),* }
            }
        }

        impl Params {
            /// Sets a parameter; fails with its range if the value is outside.
            pub fn set(&mut self, param: Param, value: u64) -> Result<(), (u64, u64)> {
                let (_, min, max) = param.range();
                if !(min..=max).contains(&value) {
                    return Err((min, max));
                }
                match param {
                    $( Param::$variant => self.$name = value, )*
                }
                Ok(())
            }
        }
    };
}
for_each_param!(define_param);

impl core::str::FromStr for Param {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|p| p.name() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_in_range() {
        let mut params = Params::default();
        for &param in Param::ALL {
            let (default, min, max) = param.range();
            assert_eq!(param.name().parse(), Ok(param));
            assert_eq!(params.set(param, default), Ok(()));
            assert_eq!(params.set(param, max + 1), Err((min, max)));
        }
        assert_eq!(params, Params::default());
    }
}
