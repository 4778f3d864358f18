//! Pictures that people send: looked into before they are kept, and kept under their hash.

use std::{
    io,
    path::{Path, PathBuf},
};

use axum::body::Bytes;
use image::{ImageFormat, ImageReader, Limits};
use parapet_store::PictureRow;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// At most so many pictures with one answer.
pub(crate) const MOST_PICTURES: usize = 9;
/// At most so large, bytes.
pub(crate) const MOST_BYTES: usize = 10_000_000;
/// No side of a picture is longer, pixels: what decoding may cost is bounded.
const LONGEST_SIDE: u32 = 12_000;

/// Why a picture was not kept, or cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the picture is larger than 10 MB")]
    TooLarge,
    #[error("the file is no JPEG or PNG picture that can be read")]
    NoPicture,
    #[error("cannot keep a picture in {}; hint: check the disk", path.display())]
    Disk {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the picture {0} is not what was kept")]
    Changed(String),
}

/// Keeps a picture if it is one: by its bytes, whatever it is called, and decoded once as a whole.
pub(crate) async fn keep(directory: &Path, bytes: Bytes) -> Result<PictureRow, UploadError> {
    if bytes.len() > MOST_BYTES {
        return Err(UploadError::TooLarge);
    }
    let checked = bytes.clone();
    let format = tokio::task::spawn_blocking(move || format_of(&checked)).await;
    let format = format.ok().flatten().ok_or(UploadError::NoPicture)?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| UploadError::Disk { path, source }
    };
    tokio::fs::create_dir_all(directory).await.map_err(disk(directory))?;
    let (path, part) = (directory.join(&sha256), directory.join(format!("{sha256}.part")));
    tokio::fs::write(&part, &bytes).await.map_err(disk(&part))?;
    tokio::fs::rename(&part, &path).await.map_err(disk(&path))?;
    Ok(PictureRow {
        id: Uuid::now_v7(),
        media_type: format.to_mime_type().to_owned(),
        bytes: bytes.len() as u64,
        sha256,
    })
}

/// Keeps a picture as PNG in a file, in the place of what was there.
pub(crate) async fn keep_as_png(path: &Path, bytes: Bytes) -> Result<(), UploadError> {
    if bytes.len() > MOST_BYTES {
        return Err(UploadError::TooLarge);
    }
    let png = tokio::task::spawn_blocking(move || {
        format_of(&bytes)?;
        let mut png = io::Cursor::new(Vec::new());
        image::load_from_memory(&bytes).ok()?.write_to(&mut png, ImageFormat::Png).ok()?;
        Some(png.into_inner())
    });
    let png = png.await.ok().flatten().ok_or(UploadError::NoPicture)?;
    let disk = |source| UploadError::Disk { path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        tokio::fs::create_dir_all(directory).await.map_err(disk)?;
    }
    let part = path.with_extension("part");
    tokio::fs::write(&part, &png).await.map_err(disk)?;
    tokio::fs::rename(&part, path).await.map_err(disk)
}

fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    let mut reader = ImageReader::new(io::Cursor::new(bytes)).with_guessed_format().ok()?;
    let format = reader.format().filter(|format| matches!(format, ImageFormat::Jpeg | ImageFormat::Png))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    reader.limits(limits);
    reader.decode().ok().map(|_| format)
}

/// A picture that was kept, if it still is what it was.
pub(crate) async fn read(directory: &Path, picture: &PictureRow) -> Result<Vec<u8>, UploadError> {
    let path = directory.join(&picture.sha256);
    let bytes = tokio::fs::read(&path).await.map_err(|source| UploadError::Disk { path, source })?;
    let same = hex::encode(Sha256::digest(&bytes)) == picture.sha256;
    if same { Ok(bytes) } else { Err(UploadError::Changed(picture.sha256.clone())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(format: ImageFormat) -> Bytes {
        let mut bytes = io::Cursor::new(Vec::new());
        image::RgbImage::new(8, 6).write_to(&mut bytes, format).unwrap();
        bytes.into_inner().into()
    }

    #[tokio::test]
    async fn a_picture_is_kept_and_comes_back_only_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let kept = keep(directory.path(), picture(format)).await.unwrap();
            assert_eq!(kept.media_type, format.to_mime_type());
            assert_eq!(read(directory.path(), &kept).await.unwrap(), picture(format));
            std::fs::write(directory.path().join(&kept.sha256), "something else").unwrap();
            assert!(matches!(read(directory.path(), &kept).await, Err(UploadError::Changed(_))));
        }
    }

    #[tokio::test]
    async fn what_is_no_picture_is_refused_whatever_it_says_of_itself() {
        let directory = tempfile::tempdir().unwrap();
        let cut_off = picture(ImageFormat::Png).slice(..40);
        let svg = Bytes::from_static(b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>");
        let lying = Bytes::from_static(b"\xff\xd8\xff\xe0 not a picture");
        for bytes in [Bytes::new(), cut_off, svg, lying] {
            assert!(matches!(keep(directory.path(), bytes).await, Err(UploadError::NoPicture)));
        }
        let large = Bytes::from(vec![0; MOST_BYTES + 1]);
        assert!(matches!(keep(directory.path(), large).await, Err(UploadError::TooLarge)));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
