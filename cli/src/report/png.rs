//! Pictures in dots (feature `png`).

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use super::draw::DrawError;

/// An SVG picture as PNG, twice as large as it says, with the typeface that is built in: the same bytes on every machine.
pub fn to_png(svg: &str) -> Result<Vec<u8>, DrawError> {
    const FONT: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");
    const ZOOM: f32 = 2.0;
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options =
        usvg::Options { fontdb: Arc::new(fonts), font_family: "DejaVu Sans".to_owned(), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options)?;
    let size = tree.size();
    let (width, height) = ((size.width() * ZOOM) as u32, (size.height() * ZOOM) as u32);
    let mut picture = tiny_skia::Pixmap::new(width, height).ok_or("the picture has no size")?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(ZOOM, ZOOM), &mut picture.as_mut());
    Ok(picture.encode_png()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::draw::to_svg;
    use crate::report::figure::{Bars, Content, Figure};
    use hearth_serverless::results::Unit;

    #[test]
    fn a_png_is_twice_as_large_and_the_same_each_time() {
        let content = Content::Bars(Bars { unit: Unit::Plain, rows: vec![("one".to_owned(), 1.0, 0.0)] });
        let (name, title) = ("name".to_owned(), "A title".to_owned());
        let svg = to_svg(&Figure { name, title, note: String::new(), content }).unwrap();
        let width: u32 = svg.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        let png = to_png(&svg).unwrap();
        assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
        assert_eq!(png[16..20], (2 * width).to_be_bytes());
        assert_eq!(png, to_png(&svg).unwrap());
    }
}
