//! `lua/PROGRAM`: the Lua interpreter with the JIT and without, against the reference implementation and against LuaJIT.
//!
//! In: the programs of `interpreters/lua/bench`, and those of the peers that are installed; columns of others are absent. Out: rows
//! of the table, and the whole of it as text in `target/bench/lua.txt`. Times are of the processor, of the process and what it asked of the
//! system, so that other work on the machine disturbs them little.

use std::path::{Path, PathBuf};

use super::measure::{Cmd, Usage, usages};
use super::{Bench, RUNS, geometric_mean, programs, share_compiled, stem};
use crate::Result;

/// An interpreter that programs are run by.
struct Peer {
    name: &'static str,
    program: PathBuf,
    env: Option<(&'static str, &'static str)>,
}

impl Peer {
    fn cmd(&self, script: &Path, size: Option<&str>) -> Cmd {
        let cmd = Cmd::new(&self.program).arg(script);
        let cmd = size.map_or(cmd.clone(), |size| cmd.arg(Path::new(size)));
        match self.env {
            Some((name, value)) => cmd.env(name, value),
            None => cmd,
        }
    }
}

/// Our own peers, the first ones.
const OWN: usize = 2;

/// The program of that name in a folder of `PATH`.
fn installed(name: &'static str) -> Option<Peer> {
    let paths = std::env::var_os("PATH")?;
    let program =
        std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())?;
    Some(Peer { name, program, env: None })
}

impl Bench<'_> {
    /// `quick`: small sizes, one run each.
    pub(super) fn lua(&mut self, quick: bool) -> Result<()> {
        let scripts = programs(&self.root.join("interpreters/lua/bench"), "lua")?;
        let wanted: Vec<&PathBuf> =
            scripts.iter().filter(|path| self.wants(&format!("lua/{}", stem(path)))).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let (size, runs) = if quick { (Some("1"), 1) } else { (None, RUNS.min(3)) };
        let binary = self.translated("lua")?.binary;
        let mut peers = vec![
            Peer { name: "JIT", program: binary.clone(), env: None },
            Peer { name: "off", program: binary, env: Some(("METATRACE", "off")) },
        ];
        peers.extend(["lua5.4", "luajit"].into_iter().filter_map(installed));
        let first = self.rows.len();
        let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
        for script in wanted {
            let able = self.able(&peers, script)?;
            let running: Vec<&Peer> = able.iter().map(|&number| &peers[number]).collect();
            let cmds: Vec<Cmd> = running.iter().map(|peer| peer.cmd(script, size)).collect();
            let used = usages(&cmds, runs, &self.root)?;
            let stats = cmds[0].stats(&self.root)?;
            for (&number, used_by) in able.iter().zip(&used) {
                ratios[number].push(used_by.seconds / used[0].seconds);
            }
            self.compare(format!("lua/{}", stem(script)), &running, &used, Some(share_compiled(&stats)));
        }
        let means: Vec<(String, f64)> = peers
            .iter()
            .zip(&ratios)
            .skip(1)
            .map(|(peer, ratios)| (format!("{}/JIT", peer.name), geometric_mean(ratios)))
            .collect();
        let means: Vec<(&str, f64)> = means.iter().map(|(name, mean)| (name.as_str(), *mean)).collect();
        self.add("lua/geometric mean".to_string(), &means);
        self.start_up(&peers, runs)?;
        self.write_table(first)
    }

    /// The peers that run a program, by number: ours must, others may know another language version, which is told.
    fn able(&self, peers: &[Peer], script: &Path) -> Result<Vec<usize>> {
        let mut able = Vec::new();
        for (number, peer) in peers.iter().enumerate() {
            match usages(&[peer.cmd(script, Some("1"))], 1, &self.root) {
                Err(error) if number >= OWN => eprintln!("{} is left out: {error}", stem(script)),
                result => able.push(result.map(|_| number)?),
            }
        }
        Ok(able)
    }

    /// One row: seconds of each peer, how many times the JIT's, and memory.
    fn compare(&mut self, name: String, peers: &[&Peer], used: &[Usage], share: Option<f64>) {
        let mut figures: Vec<(String, f64)> = Vec::new();
        for (peer, used) in peers.iter().zip(used) {
            figures.push((format!("{} s", peer.name), used.seconds));
        }
        for (peer, by_peer) in peers.iter().zip(used).skip(1) {
            figures.push((format!("{}/JIT", peer.name), by_peer.seconds / used[0].seconds));
        }
        for (peer, used) in peers.iter().zip(used) {
            if let Some(megabytes) = used.megabytes {
                figures.push((format!("{} MB", peer.name), megabytes));
            }
        }
        if let Some(share) = share {
            figures.push(("share of merge points compiled".to_string(), share));
        }
        let figures: Vec<(&str, f64)> = figures.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        self.add(name, &figures);
    }

    /// The time to say hello.
    fn start_up(&mut self, peers: &[Peer], runs: usize) -> Result<()> {
        let script = self.root.join("target/bench/hello.lua");
        let failed = |error: std::io::Error| format!("{}: {error}", script.display());
        std::fs::create_dir_all(self.root.join("target/bench")).map_err(failed)?;
        std::fs::write(&script, "print('hello')\n").map_err(failed)?;
        let cmds: Vec<Cmd> = peers.iter().map(|peer| peer.cmd(&script, None)).collect();
        let used = usages(&cmds, runs * 5, &self.root)?;
        let peers: Vec<&Peer> = peers.iter().collect();
        self.compare("lua/start-up".to_string(), &peers, &used, None);
        Ok(())
    }

    /// Writes the rows from `first` on as a table.
    fn write_table(&self, first: usize) -> Result<()> {
        let mut columns: Vec<&str> = Vec::new();
        for (name, _) in self.rows[first..].iter().flat_map(|row| &row.figures) {
            if !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
        let mut text = format!("{:24}", "");
        columns.iter().for_each(|column| text.push_str(&format!(" {column:>11}")));
        for row in &self.rows[first..] {
            text.push_str(&format!("\n{:24}", row.name));
            for column in &columns {
                let found = row.figures.iter().find(|(name, _)| name == column);
                let cell = found.map_or(String::new(), |(_, value)| format!("{value:.3}"));
                text.push_str(&format!(" {cell:>width$}", width = column.len().max(11)));
            }
        }
        text.push('\n');
        let path = self.root.join("target/bench/lua.txt");
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}
