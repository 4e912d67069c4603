use std::io::{self, Read, Write};

use metatrace::jit;

metatrace::glue!();

/// Output is handed on in pieces of this many bytes.
const OUTPUT_BYTES: usize = 1 << 16;
/// Input is asked for in pieces of this many bytes.
const INPUT_BYTES: usize = 1 << 13;

/// What `,` stores in the cell when there is no more input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eof {
    /// The cell becomes 0.
    Zero,
    /// The cell becomes 255, which is −1.
    MinusOne,
    /// The cell keeps its value.
    Unchanged,
}

#[derive(Debug)]
enum Device {
    /// Standard input and standard output.
    Standard,
    /// No more input than was given; output is kept.
    Memory,
}

/// Input and output of a running program, both buffered.
///
/// Output is written when the buffer is full, before waiting for input, and by [`Host::flush`].
#[derive(Debug)]
pub struct Host {
    device: Device,
    eof: Eof,
    input: Vec<u8>,
    /// How much of `input` has been read.
    consumed: usize,
    output: Vec<u8>,
}

impl Host {
    /// A host on standard input and output.
    pub fn standard(eof: Eof) -> Host {
        Host::on(Device::Standard, eof, Vec::new())
    }

    /// A host that reads `input` and keeps what is written.
    pub fn memory(eof: Eof, input: &[u8]) -> Host {
        Host::on(Device::Memory, eof, input.to_vec())
    }

    fn on(device: Device, eof: Eof, input: Vec<u8>) -> Host {
        Host { device, eof, input, consumed: 0, output: Vec::with_capacity(OUTPUT_BYTES) }
    }

    /// Writes one byte.
    ///
    /// # Errors
    /// If the buffer was full and could not be written.
    #[inline(never)]
    #[jit::dont_look_inside]
    pub fn write(&mut self, byte: u8) -> io::Result<()> {
        self.output.push(byte);
        if self.output.len() >= OUTPUT_BYTES { self.flush() } else { Ok(()) }
    }

    /// Reads one byte into a cell that holds `cell`: the cell's new value.
    ///
    /// # Errors
    /// If the input cannot be read, or the output before it cannot be written.
    #[inline(never)]
    #[jit::dont_look_inside]
    pub fn read(&mut self, cell: u8) -> io::Result<u8> {
        if self.consumed == self.input.len() {
            self.fill()?;
        }
        let Some(&byte) = self.input.get(self.consumed) else {
            return Ok(match self.eof {
                Eof::Zero => 0,
                Eof::MinusOne => 255,
                Eof::Unchanged => cell,
            });
        };
        self.consumed += 1;
        Ok(byte)
    }

    fn fill(&mut self) -> io::Result<()> {
        if let Device::Memory = self.device {
            return Ok(());
        }
        self.flush()?;
        self.consumed = 0;
        self.input.resize(INPUT_BYTES, 0);
        let filled = loop {
            match io::stdin().lock().read(&mut self.input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.input.truncate(*filled.as_ref().unwrap_or(&0));
        filled.map(|_| ())
    }

    /// Hands on all output so far.
    ///
    /// # Errors
    /// If standard output cannot be written; what was not written is dropped.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Device::Memory = self.device {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&self.output).and_then(|()| stdout.flush());
        self.output.clear();
        written
    }

    /// What was written to a host in memory.
    pub fn into_output(self) -> Vec<u8> {
        self.output
    }
}
