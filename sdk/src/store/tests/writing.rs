//! What is written is read back.

use super::*;

#[test]
fn what_was_written_is_read_back_to_the_bit_after_reopening() {
    let (folder, path) = place();
    let store = filled(&path);
    assert_filled(&store);
    drop(store);
    assert_filled(&Store::open(&path, Access::Read).unwrap());
    let store = Store::open(&path, Access::Write).unwrap();
    assert_eq!(store.identity(), &identity());
    assert_filled(&store);
    drop(store);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["shot.rotosession"], "nothing stays beside a session that was closed");
}

#[test]
fn a_temporary_session_behaves_alike() {
    let mut store = Store::temporary(&identity()).unwrap();
    store.write(|batch| batch.put_answer(1, 3, &answer(1, 3, REVERSE))).unwrap();
    assert_eq!(store.answer(1, 3).unwrap().unwrap(), answer(1, 3, REVERSE));
    let failed = store.write(|batch| {
        batch.put_answer(1, 4, &answer(1, 4, FORWARD))?;
        Err::<(), _>(Error::Cancelled)
    });
    assert!(matches!(failed, Err(Error::Cancelled)));
    assert!(!store.has(1, 4));
}

#[test]
fn numbers_that_are_none_and_half_precision_come_back_too() {
    let mut store = Store::temporary(&Identity { precision: Precision::Half, ..identity() }).unwrap();
    let mut odd = answer(1, 0, FORWARD);
    odd.logits.values[..4].copy_from_slice(&[-0.0, 6e-8, f32::MIN_POSITIVE, 65504.0]);
    odd.predicted_iou = f32::NAN;
    odd.object_score = f32::NEG_INFINITY;
    let mut rounded = answer(1, 1, FORWARD);
    Precision::Half.round(&mut rounded.logits.values);
    store
        .write(|batch| {
            batch.put_answer(1, 0, &odd)?;
            batch.put_answer(1, 1, &rounded)
        })
        .unwrap();
    let read = store.answer(1, 0).unwrap().unwrap();
    assert!(read.predicted_iou.is_nan() && read.object_score == f32::NEG_INFINITY);
    let bits = |a: &Answer| a.logits.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read), bits(&odd));
    assert_eq!(store.answer(1, 1).unwrap().unwrap(), rounded);
    assert_eq!(f16::from_f32(rounded.logits.values[0]).to_f32(), rounded.logits.values[0]);
}

#[test]
fn a_frame_is_kept_with_all_its_objects_or_not_at_all() {
    let (_folder, path) = place();
    let mut store = Store::create(&path, &identity()).unwrap();
    let failed = store.write(|batch| {
        batch.put_answer(1, 0, &answer(1, 0, FORWARD))?;
        assert!(batch.store.has(1, 0));
        Err::<(), _>(Error::Cancelled)
    });
    assert!(matches!(failed, Err(Error::Cancelled)));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = store.write(|batch| -> crate::Result<()> {
            batch.put_answer(1, 0, &answer(1, 0, FORWARD))?;
            panic!("in the middle of a frame");
        });
    }));
    assert!(panicked.is_err());
    assert!(!store.has(1, 0));
    store.write(|batch| batch.put_answer(1, 0, &answer(1, 0, FORWARD))).unwrap();
    assert!(store.has(1, 0));
}

#[test]
fn answers_are_replaced_forgotten_and_lose_their_memories_as_told() {
    let mut store = Store::temporary(&identity()).unwrap();
    store
        .write(|batch| {
            (0..20).try_for_each(|f| batch.put_answer(1, f, &answer(1, f, FORWARD)))?;
            (0..20).try_for_each(|f| batch.put_answer(2, f, &answer(2, f, FORWARD)))?;
            batch.put_answer(1, 5, &answer(9, 9, Origin::Prompted))?;
            batch.put_answer(1, 6, &answer(1, 6, REVERSE))?;
            batch.drop_memories(1, ..10, Which::Tracked)?;
            batch.forget(1, 8..=12, Which::Tracked)?;
            batch.forget(1, 15.., Which::All)
        })
        .unwrap();
    let remembered = |f| store.answer(1, f).unwrap().map(|a| a.memory.is_some());
    let (with, without) = (Some(true), Some(false));
    assert_eq!([4, 5, 6, 7, 8, 13].map(remembered), [without, with, without, without, None, with]);
    assert_eq!(store.answer(1, 5).unwrap().unwrap(), answer(9, 9, Origin::Prompted));
    let spans = |store: &Store, object| -> Vec<_> {
        file::ranges(store, object).unwrap().iter().map(|r| (r.first, r.last, r.origin)).collect()
    };
    let want =
        [(0, 4, "forward"), (5, 5, "prompted"), (6, 6, "reverse"), (7, 7, "forward"), (13, 14, "forward")];
    assert_eq!(spans(&store, 1), want);
    assert_eq!(spans(&store, 2), [(0, 19, "forward")]);
    store.write(|batch| batch.remove_object(1)).unwrap();
    assert_eq!((spans(&store, 1), store.answered(3)), (vec![], vec![2]));
    assert_eq!(store.check(), Vec::<String>::new());
}

#[test]
fn confidences_are_read_in_order_over_more_than_one_page() {
    let mut store = Store::temporary(&identity()).unwrap();
    store
        .write(|batch| (0..2500).try_for_each(|f| batch.put_answer(1, f * 2, &answer(1, f, FORWARD))))
        .unwrap();
    let frames = |range: std::ops::RangeInclusive<u64>| {
        store.confidences(1, range).map(|c| c.unwrap().frame).collect::<Vec<_>>()
    };
    assert_eq!(frames(0..=u64::MAX), (0..2500).map(|f| f * 2).collect::<Vec<_>>());
    assert_eq!(frames(3..=8), [4, 6, 8]);
    assert_eq!(frames(9..=9), [0; 0]);
    let known = store.confidences(1, 10..=10).next().unwrap().unwrap();
    let want = answer(1, 5, FORWARD);
    assert_eq!((known.predicted_iou, known.shape), (want.predicted_iou, want.shape));
    assert!(!store.has(1, 11));
}

#[test]
fn steps_are_undone_redone_and_give_way_to_new_ones() {
    let mut store = Store::temporary(&identity()).unwrap();
    let past = |n: u8| Past {
        step: vec![n],
        answer: (n % 2 == 1).then(|| answer(1, u64::from(n), Origin::Prompted)),
        mask: prompts().mask.filter(|_| n == 2).map(|mask| (*mask).clone()),
    };
    let ends = |store: &Store| store.history_ends().map(|e| (e.oldest, e.at, e.newest)).unwrap();
    assert_eq!(ends(&store), (1, 0, 0));
    store.write(|batch| (1..=4).try_for_each(|n| batch.push_history(&past(n)).map(drop))).unwrap();
    assert_eq!(ends(&store), (1, 4, 4));
    assert_eq!(store.history(2).unwrap(), Some(past(2)));
    store.write(|batch| batch.set_history_at(1)).unwrap();
    assert_eq!(ends(&store), (1, 1, 4));
    assert_eq!(store.history(3).unwrap(), Some(past(3)));
    store.write(|batch| batch.replace_history(3, &past(5))).unwrap();
    assert_eq!(store.history(3).unwrap(), Some(past(5)));
    assert_eq!(store.write(|batch| batch.push_history(&past(7))).unwrap(), 2);
    assert_eq!((ends(&store), store.history(3).unwrap()), ((1, 2, 2), None));
    let said = problem(store.write(|batch| batch.set_history_at(3)));
    assert_eq!(said, "step 3 is not kept, expected 0 to 2");
    store.write(|batch| (0..1100).try_for_each(|_| batch.push_history(&past(8)).map(drop))).unwrap();
    assert_eq!(ends(&store), (103, 1102, 1102));
    store.write(|batch| batch.set_history_at(102)).unwrap();
    assert_eq!(ends(&store), (103, 102, 1102));
    assert_eq!(store.write(|batch| batch.push_history(&past(9))).unwrap(), 103);
    assert_eq!(ends(&store), (103, 103, 103));
    store.write(|batch| batch.clear_history()).unwrap();
    assert_eq!(ends(&store), (1, 0, 0));
}

#[test]
fn answers_of_another_model_are_refused_with_both_numbers() {
    let mut store = Store::temporary(&identity()).unwrap();
    let mut said = |change: &dyn Fn(&mut Answer)| {
        let mut other = answer(1, 0, FORWARD);
        change(&mut other);
        problem(store.write(|batch| batch.put_answer(1, 0, &other)))
    };
    assert_eq!(said(&|a| a.pointer.push(0.0)), "an answer's pointer has 6 numbers, expected 5");
    assert_eq!(said(&|a| a.memory = Some(Memory(vec![]))), "an answer's memory has 0 numbers, expected 24");
    assert_eq!(said(&|a| a.logits.size.width_px = 9), "an answer is 9x8, expected 8x8");
    let said = problem(store.write(|batch| batch.put_answer(1, u64::MAX, &answer(1, 0, FORWARD))));
    assert!(said.starts_with("frame 18446744073709551615 can't be kept"), "{said}");
}
