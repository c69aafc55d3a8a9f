//! Structs that state their size, so that later versions can add fields at the end and every older program still runs.
//!
//! What a program doesn't know of has its default; what this library doesn't know of must be zero.

use std::mem::MaybeUninit;

use crate::guard::guard_void;
use crate::status::{Failure, ROTOMASK_ERROR_ARGUMENT};

/// Larger than any struct will be: only against sizes that can't be meant.
const MOST: usize = 4096;

/// A struct that begins with its size as the caller knows it, as a `u32`.
///
/// # Safety
/// It is `repr(C)` of numbers and pointers, begins with a `u32`, and any bytes are a value of it.
pub(crate) unsafe trait Sized32: Sized {
    const NAME: &'static str;
    /// What it takes in ABI 1's first header. A struct that has grown says here where its first new field begins.
    const FIRST: usize = size_of::<Self>();
    /// With every default, and its whole size.
    fn fresh() -> Self;
}

macro_rules! sized {
    ($($name:ident),* $(,)?) => {$(
        // SAFETY: it is `repr(C)`, begins with its size, and has only numbers and pointers after it.
        unsafe impl $crate::sized::Sized32 for $name {
            const NAME: &'static str = stringify!($name);
            fn fresh() -> Self {
                // SAFETY: of the numbers and pointers that it has, all zeros are a value.
                Self { struct_size: size_of::<Self>() as u32, ..unsafe { std::mem::zeroed() } }
            }
        }
    )*};
}
pub(crate) use sized;

/// The size that a caller states.
///
/// # Safety
/// `given` is valid for reads of as many bytes as its size says.
unsafe fn stated<T: Sized32>(given: *const T) -> Result<usize, Failure> {
    // SAFETY: the caller's promise; the size comes first.
    let found = unsafe { given.cast::<u32>().read_unaligned() } as usize;
    if (T::FIRST..=MOST).contains(&found) {
        return Ok(found);
    }
    let message = format!("{}: `struct_size` is {found}, expected {} (its sizeof)", T::NAME, size_of::<T>());
    Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, message))
}

/// Copies a struct of the caller's, whichever header it was compiled with.
///
/// # Safety
/// `given` is null or valid for reads of as many bytes as its `struct_size` says.
pub(crate) unsafe fn taken<T: Sized32>(given: *const T, name: &str) -> Result<T, Failure> {
    if given.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: not null, and the caller's promise.
    let found = unsafe { stated(given) }?;
    let (own, common) = (size_of::<T>(), found.min(size_of::<T>()));
    let mut copy = MaybeUninit::new(T::fresh());
    // SAFETY: both have room for `common` bytes and are not the same; `read` looks at no byte beyond `found`. The copy
    // was whole before, and any bytes are a value of it.
    let value = unsafe {
        given.cast::<u8>().copy_to_nonoverlapping(copy.as_mut_ptr().cast(), common);
        // Whatever its size was, from here on it is one of this library's.
        copy.as_mut_ptr().cast::<u32>().write_unaligned(own as u32);
        copy.assume_init()
    };
    // SAFETY: as above.
    if (own..found).any(|at| unsafe { given.cast::<u8>().add(at).read() } != 0) {
        let message = format!(
            "{}: something is set beyond its first {own} bytes, which is all that rotomask {} knows of",
            T::NAME,
            env!("CARGO_PKG_VERSION")
        );
        return Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, message));
    }
    Ok(value)
}

/// As [`taken`]; null for the defaults.
///
/// # Safety
/// As [`taken`].
pub(crate) unsafe fn taken_or_fresh<T: Sized32>(given: *const T) -> Result<T, Failure> {
    match given.is_null() {
        true => Ok(T::fresh()),
        // SAFETY: the caller's promise.
        false => unsafe { taken(given, T::NAME) },
    }
}

/// Copies an array of structs, each as long as the first one says.
///
/// # Safety
/// `first` is null or the first of `count`, each valid as in [`taken`].
pub(crate) unsafe fn taken_each<T: Sized32>(
    first: *const T,
    count: usize,
    most: usize,
    name: &str,
) -> Result<Vec<T>, Failure> {
    if count > most {
        let message = format!("`{name}` are {count}, expected at most {most}");
        return Err(Failure::new(ROTOMASK_ERROR_ARGUMENT, message));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    if first.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: not null, and the caller's promise.
    let stride = unsafe { stated(first) }?;
    // SAFETY: the caller's promise.
    (0..count).map(|at| unsafe { taken(first.cast::<u8>().add(at * stride).cast::<T>(), name) }).collect()
}

/// Refuses, before any work is done, a place that an answer can't be written to.
///
/// # Safety
/// `place` is null or valid for reads of its size.
pub(crate) unsafe fn check_place<T: Sized32>(place: *const T, name: &str) -> Result<(), Failure> {
    match place.is_null() {
        true => Err(Failure::null(name)),
        // SAFETY: not null, and the caller's promise.
        false => unsafe { stated(place) }.map(drop),
    }
}

/// Writes an answer, as much of it as the caller knows of; its size then says how much that is.
///
/// # Safety
/// `place` is null or valid for reads and writes of as many bytes as its `struct_size` says.
pub(crate) unsafe fn tell<T: Sized32>(place: *mut T, name: &str, value: T) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    unsafe { check_place(place, name) }?;
    // SAFETY: as above, and not null.
    let room = unsafe { stated(place) }?;
    // SAFETY: as above.
    unsafe { put(place, value, room) };
    Ok(())
}

/// What an `_init` does: defaults, in as many bytes as the caller's struct has. Null does nothing.
///
/// # Safety
/// `place` is null or valid for writes of `size` bytes.
pub(crate) unsafe fn init<T: Sized32>(place: *mut T, size: usize) {
    guard_void(|| {
        if !place.is_null() && size >= size_of::<u32>() {
            // SAFETY: not null, and the caller's promise.
            unsafe { put(place, T::fresh(), size) };
        }
    });
}

/// # Safety
/// `place` is valid for writes of `room` bytes, at least four.
unsafe fn put<T: Sized32>(place: *mut T, value: T, room: usize) {
    let known = room.min(size_of::<T>());
    let value = MaybeUninit::new(value);
    // SAFETY: both have room for `known` bytes; the value is this function's own.
    unsafe {
        place.cast::<u8>().copy_from_nonoverlapping(value.as_ptr().cast(), known);
        place.cast::<u32>().write_unaligned(known as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in the first header.
    #[repr(C)]
    struct Old {
        struct_size: u32,
        threads: u32,
    }

    /// As in this library.
    #[derive(Debug)]
    #[repr(C)]
    struct Knobs {
        struct_size: u32,
        threads: u32,
        depth: u32,
    }

    /// As in a header to come.
    #[repr(C)]
    struct New {
        struct_size: u32,
        threads: u32,
        depth: u32,
        colour: u32,
    }

    // SAFETY: three numbers, the first of which is its size.
    unsafe impl Sized32 for Knobs {
        const NAME: &'static str = "knobs";
        const FIRST: usize = std::mem::offset_of!(Self, depth);
        fn fresh() -> Self {
            Self { struct_size: 12, threads: 0, depth: 7 }
        }
    }

    #[test]
    fn a_program_of_the_first_header_gets_the_default_of_what_was_added_since() {
        let old = Old { struct_size: 8, threads: 3 };
        // SAFETY: it is as long as it says.
        let knobs = unsafe { taken((&raw const old).cast::<Knobs>(), "knobs") }.unwrap();
        assert_eq!((knobs.struct_size, knobs.threads, knobs.depth), (12, 3, 7));
    }

    #[test]
    fn a_program_of_a_later_header_is_taken_as_long_as_it_sets_nothing_new() {
        let mut new = New { struct_size: 16, threads: 3, depth: 5, colour: 0 };
        // SAFETY: it is as long as it says, here and below.
        let knobs = unsafe { taken((&raw const new).cast::<Knobs>(), "knobs") }.unwrap();
        assert_eq!((knobs.threads, knobs.depth), (3, 5));
        new.colour = 1;
        // SAFETY: as above.
        let failure = unsafe { taken((&raw const new).cast::<Knobs>(), "knobs") }.unwrap_err();
        assert!(failure.message.starts_with("knobs: something is set beyond its first 12 bytes"));
    }

    #[test]
    fn a_struct_without_a_believable_size_is_refused() {
        for size in [0, 4, 7, 5000, u32::MAX] {
            let knobs = Knobs { struct_size: size, threads: 0, depth: 0 };
            // SAFETY: nothing beyond its size is read where that can't be meant.
            let failure = unsafe { taken(&raw const knobs, "knobs") }.unwrap_err();
            assert_eq!(failure.message, format!("knobs: `struct_size` is {size}, expected 12 (its sizeof)"));
        }
    }

    #[test]
    fn an_answer_and_a_default_stay_within_the_callers_struct() {
        let mut old = [Old { struct_size: 8, threads: 1 }, Old { struct_size: 8, threads: 99 }];
        let value = Knobs { struct_size: 12, threads: 4, depth: 2 };
        // SAFETY: the first of the two is eight bytes long, as it says; the second must not change.
        unsafe { tell(old.as_mut_ptr().cast::<Knobs>(), "knobs", value) }.unwrap();
        assert_eq!((old[0].struct_size, old[0].threads), (8, 4));
        // SAFETY: as above.
        unsafe { init(old.as_mut_ptr().cast::<Knobs>(), 8) };
        assert_eq!((old[0].struct_size, old[0].threads, old[1].struct_size), (8, 0, 8));
        let mut new = New { struct_size: 0, threads: 9, depth: 9, colour: 9 };
        // SAFETY: it has sixteen bytes.
        unsafe { init((&raw mut new).cast::<Knobs>(), 16) };
        assert_eq!((new.struct_size, new.threads, new.depth, new.colour), (12, 0, 7, 9));
    }

    #[test]
    fn the_elements_of_an_array_are_as_far_apart_as_the_first_one_says() {
        let old = [Old { struct_size: 8, threads: 1 }, Old { struct_size: 8, threads: 2 }];
        // SAFETY: there are two.
        let knobs = unsafe { taken_each(old.as_ptr().cast::<Knobs>(), 2, 4, "knobs") }.unwrap();
        assert_eq!(knobs.iter().map(|k| (k.threads, k.depth)).collect::<Vec<_>>(), [(1, 7), (2, 7)]);
        // SAFETY: nothing is read.
        let failure = unsafe { taken_each(old.as_ptr().cast::<Knobs>(), 5, 4, "knobs") }.unwrap_err();
        assert_eq!(failure.message, "`knobs` are 5, expected at most 4");
    }
}
