//! CPU time, as the scheduler counts it to the nanosecond. What the kernel does for a frame is counted to whoever's system
//! call it is done in; what it puts off is done by its own threads `ksoftirqd`.

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::io;
use std::time::Duration;

/// This thread's.
pub fn of_thread() -> io::Result<Duration> {
    time(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// All others that carry frames: the other threads of this process, a process of its own, and the kernel's threads.
pub struct Others(Vec<ClockId>);

impl Others {
    /// With this process besides.
    pub fn new(process: Option<Pid>) -> io::Result<Others> {
        let clock = |pid| ClockId::pid_cpu_clock_id(pid).map_err(io::Error::from);
        Ok(Others(process.into_iter().chain(kernel_threads()?).map(clock).collect::<io::Result<_>>()?))
    }

    /// How much it is so far.
    pub fn time(&self) -> io::Result<Duration> {
        let ours = of_thread()?;
        // The process's time is read later, so it is no less.
        let threads = time(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.saturating_sub(ours);
        self.0.iter().try_fold(threads, |sum, clock| Ok(sum + time(*clock)?))
    }
}

fn time(clock: ClockId) -> io::Result<Duration> {
    Ok(clock_gettime(clock)?.into())
}

/// Those that do what interrupts put off, as far as they are seen from here.
fn kernel_threads() -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Who ends meanwhile is none of them.
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        found.extend(name.starts_with("ksoftirqd/").then_some(Pid::from_raw(pid)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn what_others_work_is_not_this_threads() {
        let others = Others::new(None).unwrap();
        let (ours, theirs) = (of_thread().unwrap(), others.time().unwrap());
        let worked = std::thread::spawn(|| {
            while of_thread().unwrap() < Duration::from_millis(20) {
                black_box(0);
            }
        });
        worked.join().unwrap();
        assert!(others.time().unwrap() - theirs >= Duration::from_millis(20));
        assert!(of_thread().unwrap() - ours < Duration::from_millis(10), "it slept meanwhile");
    }
}
