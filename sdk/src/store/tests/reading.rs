//! A session summed up.

use super::*;

#[test]
fn a_session_is_summed_up_by_objects_prompts_and_ranges() {
    let (_folder, path) = place();
    let mut store = filled(&path);
    store
        .write(|batch| {
            batch.forget(2, 20..30, Which::All)?;
            batch.put_answer(2, 30, &answer(2, 30, REVERSE))
        })
        .unwrap();
    let file = SessionFile::open(&path).unwrap();
    let summary = file.summary().unwrap();
    assert_eq!((summary.model.as_str(), summary.precision_bits, summary.cuts), ("nano", 32, vec![40]));
    assert_eq!((summary.undo_steps, summary.redo_steps), (1, 0));
    assert_eq!(summary.objects.iter().map(|o| o.id).collect::<Vec<_>>(), [3, 2, 1]);
    let object = &summary.objects[1];
    assert_eq!(
        (object.name.as_str(), object.prompts[0].frame, object.prompts[0].mask),
        ("Häschen 2", 7, true)
    );
    assert_eq!(object.prompts[0].positive, [[480.25, 600.75]]);
    let ranges: Vec<_> = object.ranges.iter().map(|r| (r.first, r.last, r.origin)).collect();
    let want =
        [(0, 6, "forward"), (7, 7, "prompted"), (8, 19, "forward"), (30, 30, "reverse"), (31, 49, "forward")];
    assert_eq!(ranges, want);
    let known: Vec<_> = store.confidences(2, 8..=19).map(|c| c.unwrap()).collect();
    let mean = known.iter().map(|c| f64::from(c.predicted_iou)).sum::<f64>() / 12.0;
    let worst = known.iter().min_by(|a, b| a.predicted_iou.total_cmp(&b.predicted_iou)).unwrap();
    let range = &object.ranges[2];
    assert!((range.predicted_iou - mean).abs() < 1e-9);
    assert_eq!(range.worst, (worst.frame, worst.predicted_iou));
    assert_eq!(range.seen, known.iter().filter(|c| c.object_score > 0.0).count() as u64);
    let (found, kept) = (file.answer(2, 30).unwrap(), answer(2, 30, REVERSE));
    assert_eq!((found.origin, found.logits), (kept.origin, kept.logits.clone()));
    assert_eq!([found.predicted_iou, found.object_score], [kept.predicted_iou, kept.object_score]);
    assert_eq!(file.mask(2, 30).unwrap(), kept.logits);
    let said = file.mask(2, 25).unwrap_err().to_string();
    assert!(said.ends_with("object 2 has no mask on frame 25"), "{said}");
    assert_eq!(file.check(), Vec::<String>::new());
}
