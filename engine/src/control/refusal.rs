//! The kernel's no: an error number, and with it, where the kernel sends one, a sentence (`NLMSGERR_ATTR_MSG`).

use core::fmt;

macro_rules! errnos {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        /// An error number of Linux (`include/uapi/asm-generic/errno.h`) with the text of glibc's `strerror`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is named and explained by its text")]
        pub enum Errno { $($name),* }

        impl Errno {
            /// The number, as in `errno.h`.
            pub const fn number(self) -> i32 {
                match self { $(Errno::$name => $number),* }
            }

            /// What `strerror` says.
            pub const fn text(self) -> &'static str {
                match self { $(Errno::$name => $text),* }
            }
        }
    };
}

errnos! {
    Perm = 1, "Operation not permitted";
    NoEnt = 2, "No such file or directory";
    Srch = 3, "No such process";
    Io = 5, "Input/output error";
    NxIo = 6, "No such device or address";
    BadF = 9, "Bad file descriptor";
    Again = 11, "Resource temporarily unavailable";
    NoMem = 12, "Cannot allocate memory";
    Acces = 13, "Permission denied";
    Busy = 16, "Device or resource busy";
    Exist = 17, "File exists";
    XDev = 18, "Invalid cross-device link";
    NoDev = 19, "No such device";
    NotDir = 20, "Not a directory";
    IsDir = 21, "Is a directory";
    Inval = 22, "Invalid argument";
    NFile = 23, "Too many open files in system";
    NoSpc = 28, "No space left on device";
    Pipe = 32, "Broken pipe";
    MLink = 31, "Too many links";
    Range = 34, "Numerical result out of range";
    Loop = 40, "Too many levels of symbolic links";
    NoNet = 64, "Machine is not on the network";
    Proto = 71, "Protocol error";
    NotUniq = 76, "Name not unique on network";
    DestAddrReq = 89, "Destination address required";
    MsgSize = 90, "Message too long";
    NoProtoOpt = 92, "Protocol not available";
    ProtoNoSupport = 93, "Protocol not supported";
    OpNotSupp = 95, "Operation not supported";
    AfNoSupport = 97, "Address family not supported by protocol";
    AddrInUse = 98, "Address already in use";
    AddrNotAvail = 99, "Cannot assign requested address";
    NetDown = 100, "Network is down";
    NetUnreach = 101, "Network is unreachable";
    ConnAborted = 103, "Software caused connection abort";
    ConnReset = 104, "Connection reset by peer";
    NoBufs = 105, "No buffer space available";
    IsConn = 106, "Transport endpoint is already connected";
    NotConn = 107, "Transport endpoint is not connected";
    ConnRefused = 111, "Connection refused";
    HostDown = 112, "Host is down";
    HostUnreach = 113, "No route to host";
    TimedOut = 110, "Connection timed out";
    Already = 114, "Operation already in progress";
    InProgress = 115, "Operation now in progress";
}

/// Why a request was not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error number.
    pub errno: Errno,
    /// The kernel's own sentence, if it sends one.
    pub message: Option<String>,
}

impl Refusal {
    /// A refusal with the kernel's own sentence (extended ack).
    pub fn because(errno: Errno, message: impl Into<String>) -> Refusal {
        Refusal { errno, message: Some(message.into()) }
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Refusal {
        Refusal { errno, message: None }
    }
}

impl fmt::Display for Refusal {
    /// As iproute2 prints it (`lib/libnetlink.c`): the kernel's sentence, with a full stop, or the error's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) if message.ends_with(['.', '\n']) => write!(f, "Error: {message}"),
            Some(message) => write!(f, "Error: {message}."),
            None => write!(f, "RTNETLINK answers: {}", self.errno.text()),
        }
    }
}
