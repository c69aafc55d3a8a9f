//! Calls of the C API in any order, with any numbers. What must hold: every call answers with a status, a failure has
//! a sentence, no handle is broken by a panic, and a session's file is sound when it is closed.
//!
//! The model is the tiny one of the parity tests. Needs ONNX Runtime, named by `ROTOMASK_ONNXRUNTIME`.
#![no_main]

use std::ffi::{CStr, CString, c_void};
use std::path::PathBuf;
use std::ptr;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rotomask_fuzz::api;
use rotomask_fuzz::pixels::Pixels;

/// Wide and odd.
const SIZE: (u32, u32) = (61, 33);
/// `ROTOMASK_NO_FRAME`, which bindgen passes over: it doesn't work out `UINT64_MAX`.
const NO_FRAME: u64 = u64::MAX;
/// Each runs four graphs.
const MAX_PUSHES: usize = 12;

#[derive(Arbitrary, Debug)]
struct Options {
    keep: u8,
    half_precision: u8,
    non_overlap_masks: u8,
    ceiling: Option<u32>,
    fill_hole_area: i8,
    correct_as_cond: u8,
    clear_around: u8,
    max_cond_frames: i8,
    stride: u8,
    detect_cuts: u8,
}

#[derive(Arbitrary, Debug)]
enum Call {
    Add(u8, [u8; 5]),
    Rename(u8, [u8; 5]),
    Remove(u8),
    Click { object: u8, frame: u8, at: (u8, u8), odd: Option<(f32, f32)>, positive: u8 },
    Box { object: u8, frame: u8, at: [u8; 4], odd: Option<[f32; 4]> },
    Mask { object: u8, frame: u8, image: Pixels },
    Push(u8, Pixels),
    PushToward(u8, u8, Pixels),
    FarPush(u64, Pixels),
    AddAutomatic { frame: u8, image: Pixels, points: u8, most: u8, odd: Option<(f32, f32, f32)>, room: u8, stop: u8 },
    Refine,
    Track { way: u8, start: Option<u8>, first: u8, last: Option<u8>, most: Option<u8>, overwrite: bool, frames: u8, stop: u8, image: Pixels },
    ClearFrame(u8, u8),
    ClearObject(u8),
    Reset,
    Forget,
    Undo,
    Redo,
    Cancel,
    Describe(u8),
    Result(u8, u32),
    ResultAt(u8, u8),
    MaskAt(u8, u8, u8, Pixels),
    Logits(u8, Pixels),
    Coverage(u8, Pixels),
    Binary(u8, Pixels),
    Look(u8, u8, Pixels),
    Salvage,
    Reopen(Options),
}

static MODEL: LazyLock<Shared> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/parity_official/model.rotomodel");
    let folder = CString::new(folder).expect("a path without a zero byte");
    let mut model = ptr::null_mut();
    // SAFETY: as the header asks.
    unsafe {
        let mut options = std::mem::zeroed();
        api::rotomask_model_options_init(&mut options, size_of_val(&options));
        options.threads = 1;
        let status = api::rotomask_model_open(folder.as_ptr(), &options, &mut model);
        assert_eq!(status, 0, "{:?}", CStr::from_ptr(api::rotomask_last_error()));
    }
    Shared(model)
});

/// Opened once.
struct Shared(*mut api::rotomask_model);
// SAFETY: the header lets a model be shared.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

struct Host {
    session: *mut api::rotomask_session,
    folder: PathBuf,
    path: CString,
    pushes: usize,
}

/// What no call may ever answer.
fn fine(status: i32) -> i32 {
    // SAFETY: this thread's last sentence.
    let said = unsafe { CStr::from_ptr(api::rotomask_last_error()) };
    assert_ne!(status as u32, api::ROTOMASK_ERROR_PANIC, "{said:?}");
    assert!(status == 0 || !said.is_empty(), "status {status} without a sentence");
    status
}

impl Host {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("rotomask-fuzz-calls-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let path = folder.join("a.rotosession").into_os_string().into_encoded_bytes();
        Self { session: ptr::null_mut(), folder, path: CString::new(path).expect("no zero byte"), pushes: 0 }
    }

    fn open(&mut self, options: &Options) {
        self.close();
        // SAFETY: as the header asks.
        unsafe {
            let mut raw: api::rotomask_session_options = std::mem::zeroed();
            api::rotomask_session_options_init(&mut raw, size_of_val(&raw));
            raw.keep = u32::from(options.keep % 4);
            raw.path = if raw.keep == api::ROTOMASK_KEEP_FILE { self.path.as_ptr() } else { ptr::null() };
            raw.half_precision = u32::from(options.half_precision % 2);
            raw.non_overlap_masks = u32::from(options.non_overlap_masks % 2);
            raw.memory_ceiling = options.ceiling.map_or(0, u64::from);
            raw.fill_hole_area = i32::from(options.fill_hole_area);
            raw.add_all_frames_to_correct_as_cond = u32::from(options.correct_as_cond % 2);
            raw.clear_non_cond_mem_around_input = u32::from(options.clear_around % 2);
            raw.max_cond_frames_in_attn = i32::from(options.max_cond_frames);
            raw.memory_temporal_stride_for_eval = u32::from(options.stride);
            raw.detect_cuts = u32::from(options.detect_cuts % 2);
            let (width, height) = SIZE;
            fine(api::rotomask_session_open_with(MODEL.0, width, height, &raw, &mut self.session));
        }
    }

    fn close(&mut self) {
        // SAFETY: it is null or open, and not used again.
        unsafe { api::rotomask_session_close(std::mem::replace(&mut self.session, ptr::null_mut())) };
        self.look(|_| {});
    }

    /// A file that is there must be sound.
    fn look(&self, work: impl FnOnce(*const api::rotomask_session_file)) {
        let mut file = ptr::null_mut();
        // SAFETY: as the header asks.
        unsafe {
            if fine(api::rotomask_session_file_open(self.path.as_ptr(), &mut file)) == 0 {
                let problems = text(|buffer, size| api::rotomask_session_file_check(file, buffer, size));
                assert_eq!(problems.as_deref(), Some("[]"));
                assert!(text(|buffer, size| api::rotomask_session_file_describe(file, buffer, size)).is_some());
                work(file);
                api::rotomask_session_file_close(file);
            }
        }
    }

    fn call(&mut self, call: &Call) {
        let s = self.session;
        let object = |o: u8| u32::from(o % 4);
        let frame = |f: u8| u64::from(f % 12);
        let name = |bytes: &[u8; 5]| CString::new(bytes.split(|b| *b == 0).next().unwrap_or(&[])).unwrap_or_default();
        let pushes = matches!(
            call,
            Call::Push(..) | Call::PushToward(..) | Call::FarPush(..) | Call::AddAutomatic { .. } | Call::Track { .. }
        );
        self.pushes += usize::from(pushes);
        if pushes && self.pushes > MAX_PUSHES {
            return;
        }
        // SAFETY: handles are null or open, strings end, and images are what they say: as the header asks.
        let status = unsafe {
            match *call {
                Call::Add(o, ref n) => api::rotomask_session_add_object(s, object(o), name(n).as_ptr()),
                Call::Rename(o, ref n) => api::rotomask_session_rename_object(s, object(o), name(n).as_ptr()),
                Call::Remove(o) => api::rotomask_session_remove_object(s, object(o)),
                Call::Click { object: o, frame: f, at: (x, y), odd, positive } => {
                    let (x, y) = odd.unwrap_or((f32::from(x % 61), f32::from(y % 33)));
                    api::rotomask_session_click(s, object(o), frame(f), x, y, u32::from(positive % 3))
                }
                Call::Box { object: o, frame: f, at, odd } => {
                    let [a, b, c, d] = odd.unwrap_or(at.map(|v| f32::from(v % 61)));
                    api::rotomask_session_box(s, object(o), frame(f), a, b, c, d)
                }
                Call::Mask { object: o, frame: f, image } => {
                    api::rotomask_session_mask(s, object(o), frame(f), &image.lend(SIZE).frame)
                }
                Call::Push(f, image) => api::rotomask_session_push(s, frame(f), &image.lend(SIZE).frame),
                Call::PushToward(f, way, image) => {
                    let way = u32::from(way % 3);
                    api::rotomask_session_push_toward(s, frame(f), way, &image.lend(SIZE).frame)
                }
                Call::FarPush(f, image) => api::rotomask_session_push(s, f, &image.lend(SIZE).frame),
                Call::AddAutomatic { .. } => self.add_automatic(call),
                Call::Refine => api::rotomask_session_refine(s),
                Call::Track { .. } => self.track(call),
                Call::ClearFrame(o, f) => api::rotomask_session_clear_frame(s, object(o), frame(f)),
                Call::ClearObject(o) => api::rotomask_session_clear_object(s, object(o)),
                Call::Reset => api::rotomask_session_reset(s),
                Call::Forget => api::rotomask_session_forget(s),
                Call::Undo => api::rotomask_session_undo(s),
                Call::Redo => api::rotomask_session_redo(s),
                Call::Cancel => api::rotomask_session_cancel(s),
                Call::Describe(room) => {
                    let mut buffer = vec![0; usize::from(room)];
                    let mut size = buffer.len();
                    fine(api::rotomask_session_describe(s, buffer.as_mut_ptr(), &mut size));
                    if let Some(told) = text(|buffer, size| api::rotomask_session_describe(s, buffer, size)) {
                        assert!(told.starts_with('{'));
                    }
                    0
                }
                Call::Result(o, struct_size) => {
                    let mut result: api::rotomask_result = std::mem::zeroed();
                    result.struct_size = if struct_size % 5 == 0 { struct_size } else { size_of_val(&result) as u32 };
                    api::rotomask_session_result(s, object(o), &mut result)
                }
                Call::ResultAt(o, f) => {
                    let mut result: api::rotomask_result = std::mem::zeroed();
                    result.struct_size = size_of_val(&result) as u32;
                    api::rotomask_session_result_at(s, object(o), frame(f), &mut result)
                }
                Call::MaskAt(o, f, wanted, image) => {
                    let wanted = u32::from(wanted % 5);
                    api::rotomask_session_mask_at(s, object(o), frame(f), wanted, &image.lend(SIZE).canvas())
                }
                Call::Logits(o, image) => {
                    api::rotomask_session_logits(s, object(o), &image.lend((32, 32)).canvas())
                }
                Call::Coverage(o, image) => {
                    api::rotomask_session_coverage(s, object(o), &image.lend(SIZE).canvas())
                }
                Call::Binary(o, image) => api::rotomask_session_binary(s, object(o), &image.lend(SIZE).canvas()),
                Call::Look(o, f, image) => {
                    self.look(|file| {
                        let mut lent = image.lend(SIZE);
                        fine(api::rotomask_session_file_binary(file, object(o), frame(f), &lent.canvas()));
                    });
                    0
                }
                Call::Salvage => {
                    let fresh = self.folder.join("b.rotosession");
                    let _ = std::fs::remove_file(&fresh);
                    let fresh = CString::new(fresh.into_os_string().into_encoded_bytes()).unwrap_or_default();
                    let mut told: api::rotomask_salvaged = std::mem::zeroed();
                    told.struct_size = size_of_val(&told) as u32;
                    let done = api::rotomask_session_file_salvage(self.path.as_ptr(), fresh.as_ptr(), &mut told);
                    assert!(done != 0 || told.lost + told.gaps == 0, "a sound session was salvaged in parts");
                    done
                }
                Call::Reopen(ref options) => {
                    self.open(options);
                    0
                }
            }
        };
        fine(status);
    }

    fn add_automatic(&self, call: &Call) -> i32 {
        let &Call::AddAutomatic { frame, image, points, most, odd, room, stop } = call else { return 0 };
        unsafe extern "C" fn tell(user: *mut c_void, done: u64, total: u64) -> i32 {
            assert!(done <= total);
            // SAFETY: `user` is a number.
            let left = unsafe { &mut *user.cast::<u8>() };
            *left = left.saturating_sub(1);
            i32::from(*left == 0)
        }
        let mut left = stop;
        let mut added = vec![0; usize::from(room % 4)];
        let mut count = added.len();
        // SAFETY: as the header asks; the numbers outlive the call.
        unsafe {
            let mut search: api::rotomask_automatic_options = std::mem::zeroed();
            api::rotomask_automatic_options_init(&mut search, size_of_val(&search));
            (search.points_per_side, search.points_per_batch) = (u32::from(points % 4), 1);
            (search.pred_iou_thresh, search.stability_score_thresh) = (0.0, 0.0);
            let mut objects: api::rotomask_object_options = std::mem::zeroed();
            api::rotomask_object_options_init(&mut objects, size_of_val(&objects));
            objects.max_objects = u32::from(most % 6);
            if let Some((iou, area, uncovered)) = odd {
                (objects.iou_threshold, objects.min_area, objects.min_uncovered) = (iou, area, uncovered);
            }
            let status = api::rotomask_session_add_automatic(
                self.session,
                u64::from(frame % 12),
                &image.lend(SIZE).frame,
                &search,
                &objects,
                Some(tell),
                (&raw mut left).cast(),
                added.as_mut_ptr(),
                &mut count,
            );
            assert!(status != 0 || count <= 256);
            status
        }
    }

    fn track(&self, call: &Call) -> i32 {
        let &Call::Track { way, start, first, last, most, overwrite, frames, stop, image } = call else { return 0 };
        struct Shot {
            frames: u64,
            left: u32,
            image: Pixels,
            lent: Option<rotomask_fuzz::pixels::Lent>,
        }
        unsafe extern "C" fn read(user: *mut c_void, index: u64, frame: *mut api::rotomask_frame) -> i32 {
            // SAFETY: `user` is the shot, and the library hands out a frame to be filled in.
            let (shot, frame) = unsafe { (&mut *user.cast::<Shot>(), &mut *frame) };
            if index >= shot.frames {
                return 1;
            }
            let image = shot.image.later(index);
            *frame = shot.lent.insert(image.lend(SIZE)).frame;
            0
        }
        unsafe extern "C" fn tracked(user: *mut c_void, _: u64) -> i32 {
            // SAFETY: `user` is the shot.
            let shot = unsafe { &mut *user.cast::<Shot>() };
            shot.left = shot.left.saturating_sub(1);
            i32::from(shot.left == 0)
        }
        let mut shot = Shot { frames: u64::from(frames % 12), left: u32::from(stop), image, lent: None };
        let mut stretches = [api::rotomask_stretch { object: 0, direction: 0, first: 0, last: 0 }; 3];
        // SAFETY: as the header asks; the shot outlives the call.
        unsafe {
            let mut request: api::rotomask_track_request = std::mem::zeroed();
            api::rotomask_track_request_init(&mut request, size_of_val(&request));
            request.way = u32::from(way % 5);
            let given = |v: Option<u8>| v.map_or(NO_FRAME, |v| u64::from(v % 14));
            (request.start, request.last, request.max_frames) = (given(start), given(last), given(most));
            request.first = u64::from(first % 14);
            request.overwrite = u32::from(overwrite);
            let mut report: api::rotomask_track_report = std::mem::zeroed();
            report.struct_size = size_of_val(&report) as u32;
            (report.stretches, report.capacity) = (stretches.as_mut_ptr(), stretches.len());
            let user = (&raw mut shot).cast();
            api::rotomask_session_track(self.session, &request, Some(read), Some(tracked), user, &mut report)
        }
    }
}

/// Text of a call that is asked for its size first.
///
/// # Safety
/// `call` keeps to the room that it is told of.
unsafe fn text(call: impl Fn(*mut i8, *mut usize) -> i32) -> Option<String> {
    let mut size = 0;
    if fine(call(ptr::null_mut(), &mut size)) != 0 {
        return None;
    }
    let mut buffer = vec![0u8; size];
    let status = fine(call(buffer.as_mut_ptr().cast(), &mut size));
    assert_eq!(status, 0, "the size that was asked for is enough");
    let text = CStr::from_bytes_until_nul(&buffer).expect("it ends with NUL");
    Some(text.to_str().expect("it is UTF-8").to_owned())
}

fuzz_target!(|input: (Options, Vec<Call>)| {
    let (options, calls) = input;
    let mut host = Host::new();
    host.open(&options);
    calls.iter().take(64).for_each(|call| host.call(call));
    host.close();
    let _ = std::fs::remove_dir_all(&host.folder);
});
