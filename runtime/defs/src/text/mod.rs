//! The text form of a [`Program`](crate::Program): [`print()`] and [`parse()`] are inverse to each other.
//!
//! One item or instruction per line; `;` starts a comment. Entities of the program are named by a string where the
//! name is unique, else by their number, which a name may follow: `"Tape.head"`, `a3`, `a3:"Tape.head"`.
//!
//! ```text
//! program "demo" hash 0x12
//! file "src/interpret.rs"
//! value "offset_of!(Tape, head)"             ; a number that the glue tells
//! shim "Host::write"
//! class "Tape.head" leaf 1
//! access "Tape.head" class "Tape.head" offset "offset_of!(Tape, head)" word
//! access "[u8]" class "[u8]" reach leaf offset 0 stride 1 u8 flags keeps_frozen
//! call "Host::write" shim "Host::write" (w, f) -> (w) reads all writes {"Tape.head"} flags can_panic
//! alloc "Op" collected "TypeInfo::of::<Op>()" size "size_of::<Op>()"
//! alloc "[i64]" plain align 8 size 0 elements 8 length 0   ; the number of elements stands at byte 0
//! jitcode "run" (w, w) -> (w) words 5 floats 1 {
//!   const #5                                 ; constants get their numbers in this order
//!   const "LIMIT" "LIMIT" frozen             ; name and value of another constant: `cw1:"LIMIT"`
//!   slot "buffer" size 16 align 8
//!   @ "src/interpret.rs":3:5                 ; the source of what follows
//! L0:
//!   live w0 w1                               ; liveness of the next instruction's position
//!   w2 = int_add w0, #1                      ; `#` and a number: a constant without a name, added if missing
//!   switch w2, {1: L0, else: L1}
//! L1:
//!   (w3) = residual_call "Host::write", (w2, #1.5)
//!   return (w3)
//! }
//! portal "run" jitcode "run" call "run" (pc: w green, code: w green owner) -> (w)
//! ```
//!
//! Operands stand in the order of the instruction's row, what is written before `=`. When read, a jitcode without any
//! `live` line gets its liveness computed, and the numbers of registers may be left out; the place of a portal's merge
//! point is where its jitcode has it.

mod parse;
mod print;

pub use parse::{TextError, parse};
pub use print::{print, print_jitcode};

#[cfg(test)]
pub(crate) const SAMPLE: &str = r#"program "demo" hash 0x1234
file "src/interpret.rs"
file "src/tape.rs"
value "offset_of!(Tape, head)"
value "LIMIT"
value "size_of::<Op>()"
shim "Host::write"
shim "fallible \"quoted\""
class "Tape.head" leaf 1
class "[u8]" leaf 2
class "[u8]" leaf 3
access "Tape.head" class "Tape.head" offset "offset_of!(Tape, head)" word
access "[u8]" class class1:"[u8]" reach leaf offset 0 stride 1 u8 flags keeps_frozen
access "[u8]" class class2:"[u8]" reach anything offset 4 stride "size_of::<Op>()" float flags interior_mut freezes
call "Host::write" shim "Host::write" (w, f) -> (w) reads all writes {"Tape.head", class2:"[u8]"} flags can_panic can_collect
call "pure" shim "fallible \"quoted\"" () -> (w, f) reads {} writes {} flags elidable
call "run" shim "Host::write" (w, w, f) -> (w) reads all writes all flags can_panic
alloc "Op" collected "LIMIT" size "size_of::<Op>()"
alloc "[u8]" plain align 8 size 8 elements 1 length 0
alloc "Pair" plain align 8 size 16
jitcode "helper" (w) -> (w) words 1 floats 0 {
  return (w0)
}
jitcode "run" (w, w, f) -> (w) words 5 floats 2 {
  const #5
  const "LIMIT" "LIMIT" frozen
  const #1
  const #1.5
  const #f0x7ff8000000000001
  slot "buffer" size 16 align 8
  @ "src/interpret.rs":3:5
L0:
  live w0 w1 f0
  merge_point "run", (w0, w1, f0)
  w2 = int_add w0, #1
  @ "src/tape.rs":9:1
  w2 = getfield w2, "Tape.head"
  f1 = getelem w2, cw1:"LIMIT", a2:"[u8]"
  setelem w2, #-1, a1:"[u8]", w2
  w3 = local_addr "buffer"
  live w0 w1 w2 w3 f0
  w4 = promote w3
  live w0 w1 w2 f0
  f1 = promote #f0x7ff8000000000001
  live w0 w1 w2 f0
  switch w2, {1: L0, 5: L1, else: L2}
L1:
  live w0 w1 w2 f0
  (w3) = residual_call "Host::write", (w2, #1.5)
  live w0 w1 w2 w3 f0
  catch_panic L3
  live w0 w1 w3 f0
  (w4) = inline_call "helper", (w3)
  live w0 w1 w4 f0
  goto_if_not w4, L0
  return (w4)
L2:
  live
  w2 = new_array #4, "[u8]"
  live
  w2 = new "Op"
  barrier w2, w2
  free w2, "Pair"
  return (#5)
L3:
  w2 = copy w2
  resume_unwind
}
portal "run" jitcode "run" call "run" (pc: w green, code: w green owner, x: f) -> (w)
"#;

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` with one part of the sample replaced must be refused at a line, with a message that holds `expected`.
    fn refuse(from: &str, to: &str, line: usize, expected: &str) {
        assert!(SAMPLE.contains(from), "{from}");
        let error = parse(&SAMPLE.replacen(from, to, 1)).expect_err(to);
        assert_eq!(error.line, line, "{error}");
        assert!(error.message.contains(expected), "{error}");
    }

    #[test]
    fn sample_round_trips() {
        let program = parse(SAMPLE).unwrap_or_else(|e| panic!("{e}"));
        crate::verify::verify(&program).unwrap_or_else(|e| panic!("{e:#?}"));
        let text = print(&program);
        let again = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(program, again, "{text}");
        assert_eq!(text, print(&again));
    }

    #[test]
    fn what_is_left_out_is_computed() {
        let full = parse(SAMPLE).unwrap();
        let kept: Vec<&str> = SAMPLE.lines().filter(|line| !line.trim_start().starts_with("live")).collect();
        let brief =
            kept.join("\n").replace(" words 5 floats 2", "").replace("  const #5\n", "  const #5\n\n");
        assert_eq!(parse(&brief), Ok(full));
    }

    #[test]
    fn mistakes_are_located() {
        refuse("hash 0x1234", "hash zz", 1, "number");
        refuse("class \"Tape.head\" offset", "class \"nobody\" offset", 12, "nobody");
        refuse("class class1:\"[u8]\"", "class \"[u8]\"", 13, "more than one");
        refuse("class class1:", "class class2:\"x\" class class1:", 13, "is called");
        refuse("int_add", "int_sum", 35, "int_sum");
        refuse("w0, #1\n", "w0\n", 35, "expected `,`");
        refuse("else: L2", "else: L9", 46, "L9");
        refuse("(w4) = inline_call", "w4 = inline_call", 53, "inline_call");
        refuse("  return (w0)\n}", "  return (w0)", 21, "");
    }
}
