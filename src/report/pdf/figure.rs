//! Pictures of a page on paper: the same drawing, in the colours of paper and the font of the file.

use super::font::{FAMILY, Fonts};
use super::paper::bug;
use crate::base::Result;
use std::sync::Arc;
use usvg::fontdb::Database;

/// How wide a picture is drawn, in pixels; on paper that is three quarters of it in points.
const WIDTH: u32 = 760;
/// Points of a pixel.
pub(super) const POINTS: f32 = 0.75;

/// The style of pictures: what the style sheet of the pages says for paper, without what a picture alone cannot know.
const STYLE: &str = "\
.s0{fill:#2f6f9f}.s1{fill:#cc8a00}.s2{fill:#b23a12}.s3{fill:#9c5b93}.s4{fill:#7d868c}\
.cell{stroke:#d9dcd7}.none{fill:none}.plate{fill:#fff}.flow{fill:#d9dcd7;fill-opacity:.55}\
.band{fill:#59636b;fill-opacity:.28;stroke:#fff;stroke-width:.5}.edge{stroke:#1d2328;stroke-width:1.5}\
.weave{stroke:#fff;stroke-width:1.2;fill:none}.dot{fill:#fff}.tick{stroke:#c4c8c2;stroke-dasharray:2 3}.mark{stroke:#1d2328;stroke-width:2.5}\
text{fill:#1d2328}.small{font-size:11px;fill:#505960}.letter{font-weight:700;font-size:12px}.upright{writing-mode:tb}";

/// A drawing as a page has it, ready for paper.
///
/// # Errors
/// `E-report-003` where it is no drawing, which is a bug.
pub(super) fn tree(drawn: &str, fonts: &Fonts, all: &Arc<Database>) -> Result<usvg::Tree> {
    // Its own width is a share of the page's.
    let drawn = drawn.replacen("width=\"100%\"", &format!("width=\"{WIDTH}\" font-size=\"13px\""), 1);
    let options = usvg::Options {
        font_family: FAMILY.to_owned(),
        fontdb: Arc::clone(all),
        style_sheet: Some(STYLE.to_owned()),
        // Whatever a picture names that is not in it is not looked for.
        image_href_resolver: usvg::ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) },
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(&fonts.shown(&drawn), &options).map_err(|e| bug(&e.to_string()))
}
