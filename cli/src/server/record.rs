//! Writing down what passes: `--pcap` and `--trace`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use vethlab_sim::Lab;
use vethlab_sim::world::Recording;

/// Where it is written.
pub(crate) struct Record {
    pcap: Option<(PathBuf, File)>,
    trace: bool,
}

impl Record {
    /// Tells the lab to record; the file is made (or emptied) now.
    pub(crate) fn new(lab: &Lab, pcap: Option<&Path>, trace: bool) -> io::Result<Record> {
        let create = |path: &Path| match File::create(path) {
            Ok(file) => Ok((path.to_path_buf(), file)),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        };
        let pcap = pcap.map(create).transpose()?;
        lab.world().record(Recording { pcap: pcap.is_some(), trace });
        Ok(Record { pcap, trace })
    }

    /// Writes what has come up since the last time. A file that cannot be written is given up, with one line.
    pub(super) fn write(&mut self, lab: &Lab) {
        if let Some((path, file)) = &mut self.pcap
            && let Err(error) = file.write_all(&lab.world().take_pcap())
        {
            eprintln!("vethlab: {}: {error}", path.display());
            lab.world().record(Recording { pcap: false, trace: self.trace });
            self.pcap = None;
        }
        if self.trace {
            // Whoever closed standard error does not want to read it.
            let _ = io::stderr().write_all(lab.world().take_trace().as_bytes());
        }
    }
}
