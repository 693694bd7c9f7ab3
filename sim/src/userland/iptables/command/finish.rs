//! When all words are read: what they mean together, and what may not stand together.

use super::super::address::networks;
use super::super::list::Format;
use super::super::stop::Problem;
use super::{Command, NAME_ROOM, Network, Parser, ask, option, option_letter};
use vethlab_engine::addr::Ipv4Addr;
use vethlab_engine::filter::{IpMatch, Not, Rule, Target};

impl Parser<'_> {
    /// When all words are read.
    pub(super) fn finish(&mut self, invert: bool) -> Result<Command, Problem> {
        let table = self.table.clone().unwrap_or_else(|| "filter".to_string());
        let drops = self.jump == "DROP" || self.second.as_deref() == Some("DROP") && self.ask & ask::RENAME == 0;
        if table == "nat" && drops {
            return Err(Problem::parameter(
                "\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n",
            ));
        }
        if self.wait_interval && self.wait.unwrap_or(0) == 0 {
            return Err(Problem::parameter("--wait-interval only makes sense with --wait\n"));
        }
        let matches = self.matches.iter().map(|of| of.extension.finish(&of.seen)).collect::<Result<_, _>>()?;
        let target = self.target.as_ref().map(|of| of.extension.finish(&of.seen)).transpose()?;
        if self.words.optind < self.words.argv.len() {
            return Err(Problem::parameter("unknown arguments found on commandline"));
        }
        if self.ask == 0 {
            return Err(Problem::parameter("no command specified"));
        }
        if invert {
            return Err(Problem::parameter("nothing appropriate following !"));
        }
        let addresses = self.addresses()?;
        if self.ask == ask::REPLACE && addresses.len() != 1 {
            return Err(Problem::parameter("Replacement rule does not specify a unique address"));
        }
        self.check_options()?;
        self.check_chain()?;
        let jump = Some(self.jump.clone()).filter(|jump| !jump.is_empty());
        let goto = self.goto;
        let target = target.or(jump.map(|chain| if goto { Target::Goto(chain) } else { Target::Jump(chain) }));
        let rule = Rule { ip: self.ip.clone(), matches, target, counters: self.counters };
        let takes_rule = self.ask & ask::OF_RULES != 0;
        let rules = addresses.into_iter().map(|(source, destination)| {
            let ip = IpMatch { source: Some(source), destination: Some(destination), ..rule.ip.clone() };
            Rule { ip, ..rule.clone() }
        });
        Ok(Command {
            ask: self.ask,
            table,
            chain: self.chain.take(),
            number: self.number,
            second: self.second.take().unwrap_or_default(),
            rules: if takes_rule { rules.collect() } else { Vec::new() },
            format: Format {
                numeric: self.options & option::NUMERIC != 0,
                verbose: self.options & option::VERBOSE != 0,
                exact: self.options & option::EXACT != 0,
                line_numbers: self.options & option::LINE_NUMBERS != 0,
            },
            verbose: self.verbose,
        })
    }

    /// All pairs of `-s` and `-d`.
    fn addresses(&self) -> Result<Vec<(Network, Network)>, Problem> {
        let read = |text: &Option<String>| networks(text.as_deref().unwrap_or("0.0.0.0/0"));
        let (sources, destinations) = (read(&self.sources)?, read(&self.destinations)?);
        let several = sources.len() > 1 || destinations.len() > 1;
        if several && self.inverted & (option::SOURCE | option::DESTINATION) != 0 {
            return Err(Problem::parameter("! not allowed with multiple source or destination IP addresses"));
        }
        let not = |option, of: &(Ipv4Addr, Ipv4Addr)| Not { not: self.inverted & option != 0, of: *of };
        let pairs = sources.iter().flat_map(|source| {
            destinations
                .iter()
                .map(move |destination| (not(option::SOURCE, source), not(option::DESTINATION, destination)))
        });
        Ok(pairs.collect())
    }

    /// `generic_opt_check`: an option that is legal with one of the commands is legal.
    fn check_options(&self) -> Result<(), Problem> {
        let asked = option::ILLEGAL.iter().enumerate().filter(|(bit, _)| self.ask & 1 << bit != 0);
        let illegal = asked.fold(self.options, |illegal, (_, of)| illegal & of);
        match illegal.trailing_zeros() {
            16 => Ok(()),
            bit => {
                let letter = option_letter(1 << bit);
                Err(Problem::Parameter(format!("Illegal option `-{letter}' with this command")))
            }
        }
    }

    fn check_chain(&self) -> Result<(), Problem> {
        let chain = self.chain.as_deref().unwrap_or_default();
        if chain.len() >= NAME_ROOM {
            let text = format!("chain name `{chain}' too long (must be under {NAME_ROOM} chars)");
            return Err(Problem::Parameter(text));
        }
        let impossible = match chain {
            "PREROUTING" | "INPUT" => option::OUT,
            "POSTROUTING" | "OUTPUT" => option::IN,
            _ => 0,
        };
        if self.ask & (ask::OF_RULES | ask::DELETE_NUMBER) != 0 && self.options & impossible != 0 {
            return Err(Problem::Parameter(format!("Can't use -{} with {chain}\n", option_letter(impossible))));
        }
        Ok(())
    }
}
