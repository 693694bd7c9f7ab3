//! Names of ports, as `net/core/dev.c` checks and makes them.

use super::Ports;
use crate::control::Errno;
use core::fmt;
use core::ops::Deref;

/// Longest name, in bytes (`IFNAMSIZ` without its zero).
pub const NAME_MAX: usize = 15;

/// The name of a port, or an address's label: up to [`NAME_MAX`] bytes, kept in place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    length: u8,
    bytes: [u8; NAME_MAX],
}

impl Name {
    /// This one; of a longer text as much as there is room for.
    pub fn new(text: &str) -> Name {
        let length = text.floor_char_boundary(NAME_MAX);
        let mut bytes = [0; NAME_MAX];
        bytes.iter_mut().zip(text.bytes().take(length)).for_each(|(to, byte)| *to = byte);
        Name { length: length as u8, bytes }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..self.length.into()).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

impl<T: AsRef<str>> From<T> for Name {
    fn from(text: T) -> Name {
        Name::new(text.as_ref())
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<String> for Name {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// Patterns are counted up to this number (`8 * PAGE_SIZE`).
const NUMBERS: u32 = 32768;

/// True for a name that a port may have (`dev_valid_name`): 1 to 15 bytes, neither `.` nor `..`, without `/`, `:` and white
/// space.
pub fn is_valid(name: &str) -> bool {
    let plain = |byte: u8| byte != b'/' && byte != b':' && !byte.is_ascii_whitespace() && byte != 0x0b && byte != 0xa0;
    (1..=NAME_MAX).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(plain)
}

/// The name that a port of these gets if `wanted` is asked for (`dev_get_valid_name`): itself if it is free, and with a `%d`
/// in it the first free number. `EINVAL`, `EEXIST`, `ENFILE`.
pub fn choose(ports: &Ports, wanted: &str) -> Result<String, Errno> {
    if !is_valid(wanted) {
        return Err(Errno::Inval);
    }
    let Some(percent) = wanted.find('%') else {
        // Its directory of sysctls could not be told from the others.
        if matches!(wanted, "all" | "default") {
            return Err(Errno::Inval);
        }
        return if ports.named(wanted).is_some() { Err(Errno::Exist) } else { Ok(wanted.to_string()) };
    };
    let (front, back) = wanted.split_at(percent);
    let Some(back) = back.strip_prefix("%d").filter(|back| !back.contains('%')) else {
        return Err(Errno::Inval);
    };
    let numbered = (0..NUMBERS).map(|number| format!("{front}{number}{back}"));
    numbered.take_while(|name| name.len() <= NAME_MAX).find(|name| ports.named(name).is_none()).ok_or(Errno::NFile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Mac;
    use crate::link::Port;
    use crate::time::Time;

    /// As `ip link set v0 name …` answers on Linux 6.18, where `v0` and `x0` exist.
    #[test]
    fn names_are_chosen_as_linux_chooses_them() {
        let mut ports = Ports::new();
        for (index, name) in [(2, "v0"), (3, "x0")] {
            ports.insert(Port::new_ethernet(index, name, Mac::ZERO, Time::ZERO));
        }
        for (wanted, chosen) in [("x%d", "x1"), ("%d", "0"), ("abcdefghijklm%d", "abcdefghijklm0"), ("é", "é")] {
            assert_eq!(choose(&ports, wanted).as_deref(), Ok(chosen));
        }
        for bad in
            ["", ".", "..", "a/b", "a:b", "a b", "a\tb", "abcdefghijklmnop", "all", "default", "x%", "a%sb", "a%d%d"]
        {
            assert_eq!(choose(&ports, bad), Err(Errno::Inval), "{bad:?}");
        }
        assert_eq!(choose(&ports, "v0"), Err(Errno::Exist));
        assert_eq!(choose(&ports, "abcdefghijklm%d").map(|name| name.len()), Ok(14));
    }
}
