//! Words on the line, without a line: frames, the XML tape, the XML writer, and the languages spoken over them.

pub mod epp;
pub mod frame;
pub mod ns;
pub mod rri;
pub mod tape;
pub mod writer;
