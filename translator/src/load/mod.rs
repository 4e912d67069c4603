//! Loads a crate's sources: manifest, root, modules in files.
//!
//! In: a Cargo package's directory (or texts in memory) and a `cfg` set. Out: for each module its parsed items, with
//! everything that `cfg` excludes removed and `cfg_attr` resolved. Guarantees: every token of the result is tied to its
//! file in the [`SourceMap`]; whatever cannot be read or parsed is a diagnostic, and the rest is loaded all the same.

pub mod cfg;
pub(crate) mod depth;
pub mod manifest;
pub mod packages;
pub(crate) mod split;
mod toml;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;

use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::names::Name;
use crate::program::Reported;
use crate::source::{FileId, SourceMap, Span};
use cfg::Cfg;
pub use manifest::Manifest;

/// Where source texts come from.
#[derive(Clone)]
pub enum Files {
    /// The file system.
    Disk,
    /// Texts in memory, by path; for tests and embedders.
    Memory(HashMap<PathBuf, String>),
}

impl Files {
    fn read(&self, path: &Path) -> Result<String, String> {
        match self {
            Files::Disk => std::fs::read_to_string(path).map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => "no such file".to_string(),
                std::io::ErrorKind::InvalidData => "this is no UTF-8 text".to_string(),
                _ => e.to_string(),
            }),
            Files::Memory(map) => map.get(path).cloned().ok_or_else(|| "no such file".to_string()),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        match self {
            Files::Disk => path.is_file(),
            Files::Memory(map) => map.contains_key(path),
        }
    }

    /// Whether two paths lead to one place.
    fn same(&self, a: &Path, b: &Path) -> bool {
        let place = |path: &Path| match self {
            Files::Disk => {
                let path = if path == Path::new("") { Path::new(".") } else { path };
                path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
            }
            Files::Memory(_) => manifest::clean(path),
        };
        a == b || place(a) == place(b)
    }

    /// The folders in a folder.
    fn folders(&self, path: &Path) -> Vec<PathBuf> {
        let mut out: Vec<PathBuf> = match self {
            Files::Disk => {
                let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
                entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
            }
            Files::Memory(map) => {
                let folder = |file: &PathBuf| {
                    let first = file.strip_prefix(path).ok()?.components().next()?;
                    Some(path.join(first)).filter(|folder| folder != file)
                };
                map.keys().filter_map(folder).collect()
            }
        };
        out.sort();
        out.dedup();
        out
    }

    /// The Rust files in a folder and those in it.
    fn rust_files(&self, path: &Path) -> Vec<PathBuf> {
        let is_rust = |path: &Path| path.extension().is_some_and(|e| e == "rs");
        let mut out = Vec::new();
        match self {
            Files::Disk => {
                let mut open = vec![path.to_path_buf()];
                while let Some(folder) = open.pop() {
                    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                        match entry.file_type() {
                            Ok(kind) if kind.is_dir() => open.push(entry.path()),
                            _ if is_rust(&entry.path()) => out.push(entry.path()),
                            _ => {}
                        }
                    }
                }
            }
            Files::Memory(map) => {
                out.extend(map.keys().filter(|file| file.starts_with(path) && is_rust(file)).cloned());
            }
        }
        out.sort();
        out
    }
}

/// A module as read: its items, with out-of-line modules' items in `children`.
pub struct Module {
    /// The module's name; `crate` for the root.
    pub name: Name,
    /// Items other than modules, in source order; a `mod` item stays in place as a marker, without content.
    pub items: Vec<syn::Item>,
    /// The modules, in the order of their markers.
    pub children: Vec<Module>,
}

/// Reads modules.
pub struct Loader<'a> {
    /// Where texts come from.
    pub files: &'a Files,
    /// The conditions that hold.
    pub cfg: &'a Cfg,
    /// Where texts are registered.
    pub sources: &'a mut SourceMap,
    /// Where errors go.
    pub diags: &'a Diagnostics,
}

/// Where a module's children and `#[path]` files are looked up.
struct Place {
    /// The directory of the file that is being read, for `#[path]`.
    file_dir: PathBuf,
    /// The directory of the children's files.
    child_dir: PathBuf,
    /// Whether inside an inline module: then `#[path]` is relative to `child_dir`.
    inline: bool,
    /// Files that are being read, to find a module that contains itself.
    open: Vec<PathBuf>,
}

impl Loader<'_> {
    /// Reads the crate whose root file is `root`.
    pub fn load_root(&mut self, root: &Path) -> Option<Module> {
        let text = match self.files.read(root) {
            Ok(text) => text,
            Err(e) => {
                let message = format!("cannot read the crate's root `{}`: {e}", root.display());
                self.diags.push(Diagnostic::nowhere(Code::MissingFile, message));
                return None;
            }
        };
        let dir = root.parent().unwrap_or(Path::new("")).to_path_buf();
        let place =
            Place { file_dir: dir.clone(), child_dir: dir, inline: false, open: vec![root.to_path_buf()] };
        let file = self.parse(root, text)?;
        Some(self.module(Name::new("crate"), file.items, &place))
    }

    /// Parses a text as a file of its own.
    pub fn parse(&mut self, path: &Path, text: String) -> Option<syn::File> {
        let mut source = text.strip_prefix('\u{feff}').unwrap_or(&text).to_string();
        if source.starts_with("#!") && !source[2..].trim_start().starts_with('[') {
            source.replace_range(0..2, "//");
        }
        let id = self.sources.add(path, source.clone());
        if let Some(split) = split::split(&source) {
            split.bodies.into_iter().for_each(|body| self.sources.set_aside(id, body));
            source = split.rest;
        }
        let tokens = tokens(&source, id, 0, self.sources, self.diags).ok()?;
        match syn::parse2::<syn::File>(tokens) {
            Ok(mut file) => {
                cfg::strip_file(&mut file, self.cfg, self.sources, self.diags);
                Some(file)
            }
            Err(error) => {
                // an error at the end of the input has no token
                let end = source.trim_end().len() as u32;
                let end = Span { file: id, lo: end.saturating_sub(1), hi: end };
                syntax_errors(error, id, end, self.sources, self.diags);
                None
            }
        }
    }

    fn module(&mut self, name: Name, items: Vec<syn::Item>, place: &Place) -> Module {
        let mut out = Module { name, items: Vec::new(), children: Vec::new() };
        for item in items {
            match item {
                syn::Item::Mod(mut m) => {
                    let child = match m.content.take() {
                        Some((_, items)) => {
                            let dir = match path_attr(&m.attrs) {
                                Some(p) if place.inline => place.child_dir.join(p),
                                Some(p) => place.file_dir.join(p),
                                None => place.child_dir.join(plain(&m.ident)),
                            };
                            let inner = Place {
                                file_dir: place.file_dir.clone(),
                                child_dir: dir,
                                inline: true,
                                open: place.open.clone(),
                            };
                            self.module(Name::new(&plain(&m.ident)), items, &inner)
                        }
                        None => match self.out_of_line(&m, place) {
                            Some(child) => child,
                            None => Module {
                                name: Name::new(&plain(&m.ident)),
                                items: Vec::new(),
                                children: Vec::new(),
                            },
                        },
                    };
                    out.children.push(child);
                    out.items.push(syn::Item::Mod(m));
                }
                other => out.items.push(other),
            }
        }
        out
    }

    fn out_of_line(&mut self, m: &syn::ItemMod, place: &Place) -> Option<Module> {
        let name = plain(&m.ident);
        let span = self.sources.span(m.ident.span());
        let (path, child_dir) = match path_attr(&m.attrs) {
            Some(p) => {
                let base = if place.inline { &place.child_dir } else { &place.file_dir };
                let path = base.join(p);
                let dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
                (path, dir)
            }
            None => {
                let flat = place.child_dir.join(format!("{name}.rs"));
                let nested = place.child_dir.join(&name).join("mod.rs");
                let path = match (self.files.exists(&flat), self.files.exists(&nested)) {
                    (true, true) => {
                        self.diags.push(
                            Diagnostic::new(
                                Code::MissingFile,
                                span,
                                format!("two files for module `{name}`"),
                            )
                            .label(format!("both `{}` and `{}` exist", flat.display(), nested.display()))
                            .help("delete or rename one of them"),
                        );
                        return None;
                    }
                    (false, true) => nested,
                    (_, false) => flat,
                };
                (path, place.child_dir.join(&name))
            }
        };
        if place.open.contains(&path) {
            self.diags.push(
                Diagnostic::new(Code::MissingFile, span, format!("module `{name}` contains itself"))
                    .label(format!("its file is `{}`, which is being read", path.display()))
                    .help("remove the declaration, or give the module a file of its own"),
            );
            return None;
        }
        match self.files.read(&path) {
            Ok(text) => {
                let file = self.parse(&path, text)?;
                let mut open = place.open.clone();
                open.push(path.clone());
                let dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
                let inner = Place { file_dir: dir, child_dir, inline: false, open };
                Some(self.module(Name::new(&name), file.items, &inner))
            }
            Err(e) if self.files.exists(&path) => {
                let message = format!("the file of module `{name}` cannot be read");
                self.diags.push(
                    Diagnostic::new(Code::MissingFile, span, message)
                        .label(format!("`{}`: {e}", path.display()))
                        .help("Rust source is UTF-8 text"),
                );
                None
            }
            Err(e) => {
                self.diags.push(
                    Diagnostic::new(Code::MissingFile, span, format!("no file for module `{name}`"))
                        .label(format!("cannot read `{}`: {e}", path.display()))
                        .help(format!(
                            "create the file, or `{}`, or write the module inline",
                            place.child_dir.join(&name).join("mod.rs").display()
                        )),
                );
                None
            }
        }
    }
}

/// The tokens of a text that begins at byte `at` of a file, unless it is no sequence of tokens, or nested too deeply.
pub(crate) fn tokens(
    text: &str,
    file: FileId,
    at: u32,
    sources: &SourceMap,
    diags: &Diagnostics,
) -> Result<TokenStream, Reported> {
    let tokens: TokenStream = match text.parse() {
        Ok(tokens) => tokens,
        Err(error) => {
            let error: proc_macro2::LexError = error;
            sources.tie(file, at, error.span());
            let span = Span { file, ..sources.span(error.span()) };
            diags.push(
                Diagnostic::new(Code::Syntax, span, "this is not a sequence of Rust tokens")
                    .label("an unbalanced delimiter, an unterminated literal, or a character that begins no token")
                    .help("`cargo check` reports the same error with more detail"),
            );
            return Err(Reported);
        }
    };
    if let Some(first) = tokens.clone().into_iter().next() {
        sources.tie(file, at, first.span());
    }
    if let Some(token) = depth::too_deep(tokens.clone()) {
        diags.push(
            Diagnostic::new(Code::TooDeep, sources.span(token), "this is nested too deeply")
                .label("the translator does not follow source as deep as here")
                .help("bind parts of it to variables, or move them to functions"),
        );
        return Err(Reported);
    }
    Ok(tokens)
}

/// Reports what the parser found in a text that ends at `end`.
pub(crate) fn syntax_errors(
    error: syn::Error,
    file: FileId,
    end: Span,
    sources: &SourceMap,
    diags: &Diagnostics,
) {
    for e in error {
        let mut span = sources.span(e.span());
        if span.file != file || span.lo == span.hi {
            span = end;
        }
        diags.push(
            Diagnostic::new(Code::Syntax, span, format!("syntax error: {e}"))
                .label("the source cannot be read from here on")
                .help("`cargo check` reports the same error with more detail"),
        );
    }
}

/// An identifier without `r#`.
pub fn plain(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_string).unwrap_or(text)
}

fn path_attr(attrs: &[syn::Attribute]) -> Option<String> {
    attrs.iter().find(|a| a.path().is_ident("path")).and_then(|a| match &a.meta {
        syn::Meta::NameValue(nv) => match &nv.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(s), .. }) => Some(s.value()),
            _ => None,
        },
        _ => None,
    })
}
