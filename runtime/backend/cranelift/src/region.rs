//! Compiling several traces as one function.

use crate::cells::Cells;
use crate::{CraneliftBackend, OptLevel, lower};
use metatrace_backend::{CompiledRegion, Job, PartStart, Region};
use metatrace_defs::Abort;
use metatrace_trace::GuardId;

impl CraneliftBackend {
    /// Compiles a region at a level of optimisation.
    ///
    /// # Errors
    /// As [`CraneliftBackend::compile_at`].
    ///
    /// # Panics
    /// As [`CraneliftBackend::compile_at`], and if no part has an entry.
    pub fn compile_region_at(&self, region: &Region, level: OptLevel) -> Result<CompiledRegion, Abort> {
        for part in region.parts {
            self.check_frame(part.trace)?;
        }
        if self.used.get() >= self.limit.get() {
            return Err(Abort::CodeMemoryFull);
        }
        let starts: Vec<PartStart> = region.parts.iter().map(|part| part.start).collect();
        let entry = |start| match start {
            PartStart::Entry(target) => Some(target),
            PartStart::Guard(_) => None,
        };
        let jobs: Vec<Job> = (region.parts.iter())
            .map(|part| Job {
                program: region.program,
                shims: region.shims,
                trace: part.trace,
                guards: part.guards,
                entry: entry(part.start),
            })
            .collect();
        let guards: Vec<GuardId> = region.parts.iter().flat_map(|part| part.guards).copied().collect();
        let cells = Cells::new(&guards, self.machine.deoptimise);
        let compiler = &mut *self.compiler.borrow_mut();
        self.with_environment(compiler, &cells, level, false, |environment, function, builder_context| {
            lower::build_region(&jobs, &starts, environment, function, builder_context);
        });
        let block = self.place(compiler, level)?;
        let targets: Vec<_> = starts.into_iter().filter_map(entry).collect();
        let (ids, bytes) = self.adopt(block, cells, targets.clone())?;
        Ok(CompiledRegion { entries: targets.into_iter().zip(ids).collect(), bytes })
    }
}
