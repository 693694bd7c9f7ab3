//! Which options go with which command, and what a command wants.

use super::table::NAMES;
use super::{Command, Stop, Table, Words, usage};

impl Words {
    /// What goes with which command (`generic_opt_check`).
    pub(super) fn check(&mut self) -> Result<(), Stop> {
        let command = self.command.unwrap_or(Command::Help);
        let has = |letter| self.given.contains(&letter);
        for (mask, option, name) in [('{', 's', "src"), ('}', 'd', "dst")] {
            let looks = matches!(command, Command::List | Command::Delete);
            if looks && has(mask) && !has(option) {
                return Err(usage(format!("Can't use --mask-{name} without --{name}")));
            }
        }
        if matches!(self.table, Table::Dying | Table::Unconfirmed) && command != Command::List {
            return Err(usage("Can't do that command with tables `dying' and `unconfirmed'"));
        }
        let legal = match command {
            Command::List => "sdrqpuz{}mfngocjw()",
            Command::Delete => "sdrqptu{}mifngow()",
            Command::Get => "sdrqpio",
            Command::Flush => "f",
            Command::Count | Command::Statistics | Command::Help | Command::Version => "",
        };
        if self.table == Table::Expect && matches!(command, Command::Get | Command::Delete) && !has('s') {
            return Err(needed("src"));
        }
        for (letter, name) in NAMES {
            if *letter == 'p' && command == Command::Get && !has('p') {
                return Err(needed("protonum"));
            }
            if has(*letter) && !legal.contains(*letter) {
                return Err(usage(format!("Illegal option `--{name}' with this command")));
            }
        }
        if has('5') || has('6') {
            let name = if has('5') { "src" } else { "dst" };
            return Err(usage(format!("Illegal option `--mask-port-{name}' with this command")));
        }
        if command == Command::Get {
            self.check_get()?;
        }
        for refused in ['t', 'c'] {
            if has(refused) {
                let text = format!("vethlab: conntrack -{refused} is not simulated\n");
                return Err(Stop::Refused(text));
            }
        }
        if let (Some(mask), Some(source)) = (self.mask_source, &mut self.select.source) {
            source.1 = mask;
        }
        if let (Some(mask), Some(destination)) = (self.mask_destination, &mut self.select.destination) {
            destination.1 = mask;
        }
        Ok(())
    }

    /// A flow is got by its whole tuple.
    fn check_get(&self) -> Result<(), Stop> {
        let has = |letter| self.given.contains(&letter);
        let both = |one, other| has(one) && has(other);
        if !both('s', 'd') && !both('r', 'q') {
            return Err(usage("you have to specify `--src' and `--dst'"));
        }
        match self.select.protocol {
            Some(1) => {
                let missing = [('X', "icmp-type"), ('Y', "icmp-code")].into_iter().find(|(letter, _)| !has(*letter));
                missing.map_or(Ok(()), |(_, name)| Err(needed(name)))
            }
            Some(47) => Err(usage("you have to specify `--srckey' and `--dstkey'")),
            Some(6 | 17 | 33 | 132 | 136) if !both('1', '2') && !both('3', '4') => {
                Err(usage("you have to specify `--sport' and `--dport'"))
            }
            _ => Ok(()),
        }
    }
}

fn needed(name: &str) -> Stop {
    usage(format!("You need to supply the `--{name}' option for this command"))
}
