//! A session file to look at.

use std::{
    mem::MaybeUninit,
    path::Path,
    ptr::{self, NonNull},
    sync::Arc,
};

use super::{ImageMut, Library, Tracked, api, c_path, session::told};
use crate::{Error, Result};

/// A session file that is open for reading, perhaps while another process writes it.
pub struct SessionFile {
    library: Arc<Library>,
    handle: NonNull<api::rotomask_session_file>,
}

// SAFETY: the header asks for one call at a time, from whichever thread; without `Sync` there is no other.
unsafe impl Send for SessionFile {}

/// What came out of a damaged session file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Objects.
    pub objects: u64,
    /// Frames with prompts, summed over objects.
    pub prompts: u64,
    /// Masks, summed over objects.
    pub answers: u64,
    /// Rows that could not be read.
    pub lost: u64,
    /// Places that could not be read.
    pub gaps: u64,
}

impl SessionFile {
    /// Opens a session file.
    ///
    /// # Errors
    /// If it is none, was written by a newer version, or is damaged.
    pub fn open(library: &Arc<Library>, path: &Path) -> Result<Self> {
        let path = c_path(path)?;
        let mut handle = ptr::null_mut();
        // SAFETY: the path outlives the call.
        library.check(unsafe { library.api().rotomask_session_file_open(path.as_ptr(), &mut handle) })?;
        let handle =
            NonNull::new(handle).ok_or(Error::Bug("librotomask opened no session file and said nothing"))?;
        Ok(Self { library: library.clone(), handle })
    }

    /// What is in it, as JSON.
    ///
    /// # Errors
    /// If part of it is damaged.
    pub fn describe(&self) -> Result<String> {
        // SAFETY: the handle is open; `text` vouches for the buffer.
        self.library.text(|buffer, size| unsafe {
            self.library.api().rotomask_session_file_describe(self.handle.as_ptr(), buffer, size)
        })
    }

    /// Reads all of it. A JSON array of what is not as it was written.
    ///
    /// # Errors
    /// If the disk can't be read.
    pub fn check(&self) -> Result<String> {
        // SAFETY: as above.
        self.library.text(|buffer, size| unsafe {
            self.library.api().rotomask_session_file_check(self.handle.as_ptr(), buffer, size)
        })
    }

    /// Writes an object's mask on a frame: 0 or 255 for each pixel.
    ///
    /// # Errors
    /// If it has none, or the image is not of the frames' size.
    pub fn binary(&self, object: u32, frame: u64, image: ImageMut<'_>) -> Result<()> {
        let api = self.library.api();
        // SAFETY: the handle is open; the image describes pixels that are lent to it.
        let status =
            unsafe { api.rotomask_session_file_binary(self.handle.as_ptr(), object, frame, &image.raw) };
        self.library.check(status)
    }
}

impl SessionFile {
    /// What is known of an object on a frame.
    ///
    /// # Errors
    /// If it has no mask there.
    pub fn result(&self, object: u32, frame: u64) -> Result<Tracked> {
        let api = self.library.api();
        told(&self.library, |raw| {
            // SAFETY: the handle is open; the struct states its size.
            unsafe { api.rotomask_session_file_result(self.handle.as_ptr(), object, frame, raw) }
        })
    }

    /// Writes an object's mask logits on a frame, at the size that [`SessionFile::result`] states.
    ///
    /// # Errors
    /// If it has none, or the image is of another size.
    pub fn logits(&self, object: u32, frame: u64, image: &mut ImageMut<'_>) -> Result<()> {
        self.mask(object, frame, api::ROTOMASK_MASK_LOGITS, image)
    }

    /// Writes how likely each pixel of a frame is an object's, at the frames' size.
    ///
    /// # Errors
    /// If it has no mask there, or the image is of another size.
    pub fn coverage(&self, object: u32, frame: u64, image: &mut ImageMut<'_>) -> Result<()> {
        self.mask(object, frame, api::ROTOMASK_MASK_COVERAGE, image)
    }

    fn mask(&self, object: u32, frame: u64, kind: u32, image: &mut ImageMut<'_>) -> Result<()> {
        let api = self.library.api();
        // SAFETY: the handle is open; the image describes pixels that are lent to it.
        let status =
            unsafe { api.rotomask_session_file_mask(self.handle.as_ptr(), object, frame, kind, &image.raw) };
        self.library.check(status)
    }
}

impl Drop for SessionFile {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once.
        unsafe { self.library.api().rotomask_session_file_close(self.handle.as_ptr()) }
    }
}

impl Library {
    /// Copies what can be read of a damaged session file into a new one.
    ///
    /// # Errors
    /// If not even its beginning can be read, or the new one exists or can't be written.
    pub fn salvage(&self, damaged: &Path, fresh: &Path) -> Result<Salvaged> {
        let (damaged, fresh) = (c_path(damaged)?, c_path(fresh)?);
        // SAFETY: a struct of integers may be all zero.
        let mut told: api::rotomask_salvaged = unsafe { MaybeUninit::zeroed().assume_init() };
        told.struct_size = size_of::<api::rotomask_salvaged>() as u32;
        // SAFETY: the paths outlive the call, and the struct has its size.
        let status =
            unsafe { self.api().rotomask_session_file_salvage(damaged.as_ptr(), fresh.as_ptr(), &mut told) };
        self.check(status)?;
        let api::rotomask_salvaged { objects, prompts, answers, lost, gaps, .. } = told;
        Ok(Salvaged { objects, prompts, answers, lost, gaps })
    }
}
