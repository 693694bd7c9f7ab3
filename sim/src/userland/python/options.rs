//! The command line of `python3 -m http.server`.

/// `-h`
const HELP: &str = include_str!("help.txt");

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something of the real Python.
    Another,
    /// The server, or what is wrong with its words.
    Server(Result<Options, Stop>),
}

/// A server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `-u`: what is printed is not held back.
    pub(super) unbuffered: bool,
    pub(super) port: u16,
    pub(super) bind: Option<String>,
    pub(super) directory: Option<String>,
}

/// What is printed instead, and the status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) status: i32,
}

/// Reads the words.
pub(super) fn parse(argv: &[String]) -> Asked {
    let mut unbuffered = false;
    let mut words = argv.iter().skip(1);
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else { return Asked::Another };
        let (flags, module) = letters.split_once('m').map_or((letters, None), |(flags, name)| (flags, Some(name)));
        if flags.contains(|letter: char| !"uBEIsSOqbd".contains(letter)) {
            return Asked::Another;
        }
        unbuffered |= flags.contains('u');
        let Some(name) = module else { continue };
        let name = if name.is_empty() { words.next().map_or("", String::as_str) } else { name };
        if name != "http.server" {
            return Asked::Another;
        }
        let rest: Vec<&str> = words.map(String::as_str).collect();
        return Asked::Server(server(&rest).map(|options| Options { unbuffered, ..options }));
    }
    Asked::Another
}

fn wrong<T>(what: &str) -> Result<T, Stop> {
    let usage = HELP.lines().next().unwrap_or_default();
    Err(Stop { err: format!("{usage}\nserver.py: error: {what}\n"), status: 2, ..Stop::default() })
}

/// `argparse`, as far as its own words go.
fn server(words: &[&str]) -> Result<Options, Stop> {
    let mut options = Options { port: 8000, ..Options::default() };
    let (mut ports, mut strange) = (Vec::new(), Vec::new());
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value)),
            _ if !word.starts_with("--") && word.starts_with(['-']) && word.len() > 2 => {
                word.split_at_checked(2).map_or((word, None), |(name, value)| (name, Some(value)))
            }
            _ => (word, None),
        };
        let is = |short: &str, long: &str| {
            name == short || (name.len() > 2 && name.starts_with("--") && long.starts_with(name))
        };
        let mut needed = |what: &str| match value.take().or_else(|| words.next()) {
            Some(value) => Ok(value.to_string()),
            None => wrong(&format!("argument {what}: expected one argument")),
        };
        if is("-h", "--help") {
            return Err(Stop { out: HELP.to_string(), ..Stop::default() });
        } else if is("-b", "--bind") {
            options.bind = Some(needed("-b/--bind")?);
        } else if is("-d", "--directory") {
            options.directory = Some(needed("-d/--directory")?);
        } else if is("-p", "--protocol") {
            if needed("-p/--protocol")? != "HTTP/1.0" {
                return wrong("argument -p/--protocol: only HTTP/1.0 is simulated");
            }
        } else if is("--cgi", "--cgi") {
            return wrong("argument --cgi: is not simulated");
        } else if word.starts_with('-') {
            strange.push(word);
        } else if ports.is_empty() {
            ports.push(word);
        } else {
            strange.push(word);
        }
    }
    if let Some(word) = ports.first() {
        let number: i64 =
            word.trim().parse().or_else(|_| wrong(&format!("argument port: invalid int value: '{word}'")))?;
        // The C library takes the low 16 bits.
        options.port = number as u16;
    }
    if !strange.is_empty() {
        return wrong(&format!("unrecognized arguments: {}", strange.join(" ")));
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Asked {
        let argv: Vec<String> = line.split(' ').map(str::to_string).collect();
        parse(&argv)
    }

    #[test]
    fn only_the_server_is_ours() {
        for line in
            ["python3", "python3 x.py", "python3 -c 1", "python3 -m SimpleHTTPServer", "python3 -X dev -m http.server"]
        {
            assert_eq!(parsed(line), Asked::Another, "{line}");
        }
        let options =
            Options { port: 80, bind: Some("10.0.0.1".into()), directory: Some("www".into()), unbuffered: true };
        for line in
            ["python3 -u -m http.server 80 --bind 10.0.0.1 -d www", "python3 -um http.server -b10.0.0.1 --dir=www 80"]
        {
            assert_eq!(parsed(line), Asked::Server(Ok(options.clone())), "{line}");
        }
    }

    #[test]
    fn complaints_are_those_of_argparse() {
        for (words, text) in [
            ("x", "argument port: invalid int value: 'x'"),
            ("--foo", "unrecognized arguments: --foo"),
            ("8003 8004", "unrecognized arguments: 8004"),
            ("-b", "argument -b/--bind: expected one argument"),
        ] {
            let Asked::Server(Err(stop)) = parsed(&format!("python3 -m http.server {words}")) else {
                panic!("{words}")
            };
            assert!(stop.status == 2 && stop.err.ends_with(&format!("server.py: error: {text}\n")), "{}", stop.err);
        }
    }
}
