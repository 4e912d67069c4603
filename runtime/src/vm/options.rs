//! Options and logs, as a program or the environment gives them.
//!
//! `METATRACE` is a list of `off` and `parameter=value`, separated by commas; `METATRACE_LOG` a list of `stats:FILE` and
//! `traces:FILE`, where `-` is the standard error stream.

use metatrace_defs::Param;
use metatrace_defs::param::Params;

/// How a VM behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether anything is ever recorded.
    pub enabled: bool,
    /// The parameters.
    pub params: Params,
}

impl Default for Options {
    fn default() -> Options {
        Options::from(Params::default())
    }
}

impl From<Params> for Options {
    fn from(params: Params) -> Options {
        Options { enabled: true, params }
    }
}

/// A mistake in an option string, as a sentence for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError(String);

impl std::fmt::Display for OptionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OptionError {}

impl OptionError {
    pub(crate) fn new(message: String) -> OptionError {
        OptionError(message)
    }
}

impl Options {
    /// The options that the variable `METATRACE` holds; the defaults if it is not set.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn from_env() -> Result<Options, OptionError> {
        match std::env::var("METATRACE") {
            Ok(text) => Options::parse(&text).map_err(|e| OptionError(format!("METATRACE: {e}"))),
            Err(std::env::VarError::NotPresent) => Ok(Options::default()),
            Err(error) => Err(OptionError(format!("METATRACE: {error}"))),
        }
    }

    /// The options that a string holds.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn parse(text: &str) -> Result<Options, OptionError> {
        let mut options = Options::default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            if item == "off" {
                options.enabled = false;
                continue;
            }
            let (name, value) = item.split_once('=').unwrap_or((item, ""));
            let param: Param = name.trim().parse().map_err(|()| {
                let valid: Vec<&str> = Param::ALL.iter().map(|param| param.name()).collect();
                OptionError(format!(
                    "unknown option `{name}`; valid are `off` and, with a value, {}",
                    valid.join(", ")
                ))
            })?;
            let (default, min, max) = param.range();
            value.trim().parse().ok().and_then(|value| options.params.set(param, value).ok()).ok_or_else(|| {
                OptionError(format!(
                    "`{name}` needs a number from {min} to {max} (the default is {default}), not `{value}`"
                ))
            })?;
        }
        Ok(options)
    }
}

impl Options {
    /// Whether loops are ever recorded and compiled.
    pub fn records(&self) -> bool {
        self.enabled && self.params.blackhole_only == 0
    }

    /// Every way to run that must give the same answers, with names for messages: what tests of an interpreter go through.
    ///
    /// The first is the interpreter alone.
    pub fn engines() -> Vec<(&'static str, Options)> {
        [
            ("the interpreter alone", "off"),
            ("the blackhole interpreter", "threshold=1,function_threshold=1,blackhole_only=1"),
            ("the reference backend", "threshold=1,function_threshold=1,trace_eagerness=1,backend=1"),
            ("Cranelift, at once", "threshold=1,function_threshold=1,trace_eagerness=1"),
            ("Cranelift, soon", "threshold=3,function_threshold=2,trace_eagerness=2"),
            ("Cranelift, not optimised", "threshold=2,function_threshold=2,trace_eagerness=1,optimise=0"),
            ("every guard failing once", "threshold=1,function_threshold=1,trace_eagerness=2,fail_guards=1"),
            (
                "the reference backend, every guard failing once",
                "threshold=2,function_threshold=2,trace_eagerness=3,fail_guards=1,backend=1",
            ),
        ]
        .map(|(name, text)| (name, Options::parse(text).expect("valid options")))
        .into()
    }

    /// The ways to run with a collection at every allocation from the heaps that are entered with
    /// [`metatrace::enter`](crate::enter).
    pub fn collecting_engines() -> Vec<(&'static str, Options)> {
        [
            ("the interpreter alone, collecting", "off,gc_every=1"),
            ("the blackhole interpreter, collecting", "threshold=1,blackhole_only=1,gc_every=1"),
            ("the reference backend, collecting", "threshold=1,trace_eagerness=1,backend=1,gc_every=1"),
            ("Cranelift, collecting", "threshold=2,trace_eagerness=2,gc_every=1"),
            (
                "every guard failing once, collecting",
                "threshold=1,trace_eagerness=2,fail_guards=1,gc_every=1",
            ),
        ]
        .map(|(name, text)| (name, Options::parse(text).expect("valid options")))
        .into()
    }
}

/// Where logs go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFiles {
    /// Statistics, as JSON, at the end of the process.
    pub stats: Option<String>,
    /// Traces, as text, when they are compiled.
    pub traces: Option<String>,
}

impl LogFiles {
    /// The logs that the variable `METATRACE_LOG` asks for.
    ///
    /// # Errors
    /// An unknown kind of log.
    pub fn from_env() -> Result<LogFiles, OptionError> {
        match std::env::var("METATRACE_LOG") {
            Ok(text) => LogFiles::parse(&text).map_err(|e| OptionError(format!("METATRACE_LOG: {e}"))),
            Err(std::env::VarError::NotPresent) => Ok(LogFiles::default()),
            Err(error) => Err(OptionError(format!("METATRACE_LOG: {error}"))),
        }
    }

    fn parse(text: &str) -> Result<LogFiles, OptionError> {
        let mut files = LogFiles::default();
        for item in text.split(',').filter(|item| !item.is_empty()) {
            let place = match item.split_once(':') {
                Some(("stats", file)) if !file.is_empty() => (&mut files.stats, file),
                Some(("traces", file)) if !file.is_empty() => (&mut files.traces, file),
                _ => {
                    let message = format!(
                        "`{item}` is no log; valid are `stats:FILE` and `traces:FILE` (`-` is stderr)"
                    );
                    return Err(OptionError(message));
                }
            };
            *place.0 = Some(place.1.to_string());
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_parsed() {
        let options = Options::parse("threshold=3, optimise=0,off").unwrap();
        assert_eq!((options.enabled, options.params.threshold, options.params.optimise), (false, 3, 0));
        assert_eq!(Options::parse(""), Ok(Options::default()));
    }

    #[test]
    fn mistakes_name_what_is_valid() {
        let error = |text| Options::parse(text).unwrap_err().to_string();
        assert!(error("treshold=3").contains("threshold, trace_eagerness"), "{}", error("treshold=3"));
        assert!(error("threshold=0").contains("from 1 to"), "{}", error("threshold=0"));
        assert!(error("threshold").contains("needs a number"), "{}", error("threshold"));
        assert!(LogFiles::parse("stat:x").unwrap_err().to_string().contains("stats:FILE"));
        let files = LogFiles::parse("stats:a:b,traces:-").unwrap();
        assert_eq!((files.stats.as_deref(), files.traces.as_deref()), (Some("a:b"), Some("-")));
    }
}
