//! Reads, writes and addresses of every scalar, with strides, constant or not.

use crate::common::{CRANELIFT, Frame, Traces, check};
use metatrace_backend::Context;
use metatrace_defs::descr::{Class, ClassId, LoadTime, Reach, Scalar};
use metatrace_defs::{Access, AccessId, Kind, Program, TraceOp};
use metatrace_trace::{Attached, Opnd, Trace};

fn program(offset: u64, stride: Option<u64>) -> Program {
    let access = |&scalar| Access {
        name: "x".into(),
        offset: LoadTime::Literal(offset),
        stride: stride.map(LoadTime::Literal),
        scalar,
        class: ClassId(0),
        reach: Reach::Anything,
        flags: 0,
    };
    Program {
        accesses: Scalar::ALL.iter().map(access).collect(),
        classes: vec![Class { name: "x".into(), leaf: 0 }],
        ..Program::default()
    }
}

/// Reads and writes every scalar at `base` and `index`, which are operands of a trace that the caller started.
fn touch_all(program: &Program, trace: &mut Trace, base: Opnd, index: Option<Opnd>, values: [Opnd; 2]) {
    let mut results = Vec::new();
    let at: Vec<Opnd> = [base].into_iter().chain(index).collect();
    let (get, frozen, set, interior) = match index {
        None => (TraceOp::GetField, TraceOp::GetFieldFrozen, TraceOp::SetField, TraceOp::InteriorField),
        Some(_) => (TraceOp::GetElem, TraceOp::GetElemFrozen, TraceOp::SetElem, TraceOp::InteriorElem),
    };
    for (n, scalar) in Scalar::ALL.iter().enumerate() {
        let access = Attached::Access(AccessId::new(n));
        let (variable, constant) = match scalar.kind() {
            Kind::Word => (values[0], Opnd::Word(0x8877_6655_4433_2211)),
            Kind::Float => (values[1], Opnd::Float((-1.5f64).to_bits())),
        };
        for op in [get, frozen, interior] {
            results.push(trace.push(program, op, &at, access, &[])[0]);
        }
        for value in [variable, constant, Opnd::constant(scalar.kind(), 0), variable] {
            trace.push(program, set, &[&at[..], &[value]].concat(), access, &[]);
            results.push(trace.push(program, get, &at, access, &[])[0]);
        }
    }
    let results: Vec<Opnd> = results.into_iter().map(Opnd::Value).collect();
    trace.push(program, TraceOp::Finish, &results, Attached::None, &[]);
}

#[test]
fn every_scalar_in_fields() {
    for offset in [0, 1, 8, 100] {
        let program = program(offset, None);
        let mut trace = Trace::new();
        let values = [trace.new_input(Kind::Word, None).into(), trace.new_input(Kind::Float, None).into()];
        let base = trace.push(
            &program,
            TraceOp::LocalAddr,
            &[Opnd::Word(16), Opnd::Word(16), Opnd::Word(0)],
            Attached::None,
            &[],
        )[0];
        touch_all(&program, &mut trace, base.into(), None, values);
        let traces = Traces::new(program, vec![(String::new(), trace)]);
        check(&traces, &[&[u64::MAX - 1, 2.5f64.to_bits()], &[0x80c0, f64::NAN.to_bits()]]);
    }
}

#[test]
fn every_scalar_in_elements() {
    for stride in [1, 2, 3, 4, 8, 16, 24] {
        let program = program(5, Some(stride));
        for index in [None, Some(0), Some(7), Some(-2i64 as u64)] {
            let mut trace = Trace::new();
            let values =
                [trace.new_input(Kind::Word, None).into(), trace.new_input(Kind::Float, None).into()];
            let variable = trace.new_input(Kind::Word, None).into();
            let base = trace.push(
                &program,
                TraceOp::LocalAddr,
                &[Opnd::Word(64), Opnd::Word(64), Opnd::Word(0)],
                Attached::None,
                &[],
            )[0];
            let index = index.map_or(variable, Opnd::Word);
            touch_all(&program, &mut trace, base.into(), Some(index), values);
            let traces = Traces::new(program.clone(), vec![(String::new(), trace)]);
            check(&traces, &[&[1, 0, 3], &[0x1234_5678_9abc_def0, 1e300f64.to_bits(), -1i64 as u64]]);
        }
    }
}

#[test]
fn constant_bases_and_wide_offsets() {
    let mut memory = [0u64; 64];
    let address = memory.as_mut_ptr().expose_provenance() as u64;
    // The base is far away from the memory; the offset leads back.
    for distance in [0u64, 0x7fff_fff0, 0x8000_0000, 0x1_2345_6789, u64::MAX << 33] {
        for stride in [None, Some(8)] {
            let program = program(distance.wrapping_add(8), stride);
            for constant in [false, true] {
                let mut trace = Trace::new();
                let values =
                    [trace.new_input(Kind::Word, None).into(), trace.new_input(Kind::Float, None).into()];
                let inputs = [trace.new_input(Kind::Word, None), trace.new_input(Kind::Word, None)];
                let far = address.wrapping_sub(distance);
                let base = if constant { Opnd::Word(far) } else { inputs[0].into() };
                let index = stride.map(|_| Opnd::Value(inputs[1]));
                // Every run finds the same memory.
                let (set, at) = match index {
                    None => (TraceOp::SetField, vec![base, Opnd::Word(77)]),
                    Some(index) => (TraceOp::SetElem, vec![base, index, Opnd::Word(77)]),
                };
                trace.push(&program, set, &at, Attached::Access(AccessId(6)), &[]);
                touch_all(&program, &mut trace, base, index, values);
                let traces = Traces::new(program.clone(), vec![(String::new(), trace)]);
                check(&traces, &[&[7, 1f64.to_bits(), far, 4], &[8, 1f64.to_bits(), far, 5]]);
            }
        }
    }
    assert_ne!(memory, [0; 64]);
}

#[test]
fn frames_and_their_local_memory_are_aligned() {
    let outcome = crate::common::check_text(
        "trace () {
            %0 = local_addr(0, 48, 0)
            %1 = local_addr(48, 16, 0)
            finish(%0, %1)
        }",
        &[&[]],
    );
    assert_eq!(outcome[0].values[0] % 16, 0);
    assert_eq!(outcome[0].values[1] - outcome[0].values[0], 48);
    assert_eq!(Frame::new().pointer() as usize % 16, 0);
}

#[test]
fn objects_are_allocated_used_and_given_back() {
    let outcome = crate::common::check_text(
        r#"
        alloc alloc0 "pair" plain align 16 size 16
        alloc alloc1 "[word]" plain align 8 size 8 elements 8 length 0
        alloc alloc2 "object" collected 0 size 16
        access a3 "[word] behind a length" offset 8 stride 8 word class0 class
        trace (%0 w) {
            %1 = new[alloc0]()
            setfield[a0](%1, 5)
            setfield[a1](%1, %0)
            %2 = getfield[a1](%1)
            %3 = int_and(%1, 15)
            free[alloc0](%1)
            %4 = new_array[alloc1](%0)
            setelem[a3](%4, 2, 40)
            %5 = getfield[a0](%4)
            %6 = getelem[a3](%4, 2)
            %7 = new[alloc2]()
            guard_not_pending() s0
            barrier(%7)
            %8 = getfield[a1](%7)
            finish(%2, %3, %5, %6, %8)
        }
        s0 = j0 @0 locals 0 () merge_points 0"#,
        &[&[9]],
    );
    assert_eq!(outcome[0].values, [9, 0, 9, 40, 0]);
}

/// What is made leaves it to the next guard to collect, however many are made until there.
#[test]
fn what_is_made_collects_nothing() {
    let outcome = crate::common::check_text(
        r#"
        alloc alloc0 "object" collected 0 size 16
        alloc alloc1 "array" collected 0 size 8 elements 8 length 0
        trace (%0 w) {
            %1 = new[alloc0]()
            guard_not_pending() s0
            guard_true(%0) s1
            %2 = make[alloc0]()
            setfield[a0](%2, %0)
            %3 = make_array[alloc1](3)
            setfield[a1](%2, %3)
            %4 = getfield[a0](%3)
            %5 = getfield[a0](%2)
            %6 = int_add(%4, %5)
            guard_true(%6) s2
            guard_not_pending() s3
            finish(%6)
        }
        s0 = j0 @0 locals 0 () merge_points 0
        s1 = j0 @1 locals 0 (w0 = 7) merge_points 0
        s2 = j0 @2 locals 0 () merge_points 0
        s3 = j0 @3 locals 0 (w0 = %4, w1 = %5) merge_points 0"#,
        &[&[0], &[9]],
    );
    let left: Vec<_> = outcome.iter().map(|outcome| (outcome.exit, outcome.pending)).collect();
    let full = metatrace_backend::pending::HEAP_FULL;
    let guard = |n| metatrace_backend::Exit::Guard(metatrace_trace::GuardId::new(n));
    assert_eq!(left, [(guard(1), 0), (guard(3), full)]);
    assert_eq!(outcome[1].values, [3, 9]);
}

/// Small blocks that are given back are taken again, up to a number of each size, and what is kept is given back in the end.
#[test]
fn plain_memory_is_taken_again() {
    let traces = Traces::parse(
        r#"
        alloc alloc0 "pair" plain align 8 size 16
        alloc alloc1 "[word]" plain align 8 size 0 elements 8
        alloc alloc2 "[byte]" plain align 1 size 0 elements 1
        class class0 "word" leaf 0
        access a0 "word" offset 0 word class0 class
        trace (%0 w, %1 w) {
            %2 = new[alloc0]()
            setfield[a0](%2, %0)
            free[alloc0](%2)
            %3 = new_array[alloc1](%1)
            setfield[a0](%3, %0)
            %4 = new_array[alloc1](2)
            setfield[a0](%4, 7)
            %5 = new_array[alloc2](%1)
            free_array[alloc2](%5, %1)
            %6 = getfield[a0](%3)
            %7 = getfield[a0](%4)
            %8 = int_add(%6, %7)
            free_array[alloc1](%3, %1)
            free_array[alloc1](%4, 2)
            finish(%8)
        }"#,
    );
    check(&traces, &[&[1, 1], &[2, 2], &[3, 33], &[4, 1000]]);
    for engine in CRANELIFT {
        let (backend, code) = engine.set_up(&traces);
        let mut frame = Frame::new();
        let mut context = Context::default();
        for (most, length, kept) in
            [(0, 2, [0, 0, 0]), (1, 2, [0, 1, 0]), (2, 2, [0, 2, 0]), (15, 3, [0, 2, 1]), (15, 33, [0, 2, 1])]
        {
            context.spare.most = most;
            frame.slots()[..2].copy_from_slice(&[5, length]);
            // SAFETY: the frame has the size that was set, with the inputs in its slots; the lengths fit what is written.
            unsafe { backend.run(code, frame.pointer(), &mut context) };
            assert_eq!(frame.slots()[0], 12);
            assert_eq!([0, 1, 2].map(|n| context.spare.lists[n].count), kept, "{length} words, {most} kept");
            assert!(context.spare.lists[3..].iter().all(|list| list.count == 0));
        }
    }
}
