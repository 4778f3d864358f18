//! Everything behind the source: the branch that keeps what comes as it comes, and the branch that decodes, thins and
//! scales it. Which source it is, and where its video comes out, is decided before.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks};

use super::{EncodedWanted, FramesWanted, ModeSwitch, Notice, Notify, SampleSink, Units, Wanted};
use crate::{
    codec::Codec,
    decoder::Decoders,
    elements::{add_row, element, filter, link, pad},
    error::OpenError,
    thin::{Decimator, KeyframeGate, Passage, UnitFacts},
};

/// Builds everything behind the source.
pub(super) fn attach(
    pipeline: &gst::Pipeline,
    from: &gst::Pad,
    caps: &gst::Caps,
    wanted: Wanted,
    paced: bool,
    notify: &Notify,
) -> Result<(), OpenError> {
    let Wanted { frames, encoded, metadata: _, live, units, mode, decoders, heard, overrun } = wanted;
    let codec = Codec::of(caps);
    let pace = element("clocksync")?;
    pace.set_property("sync", paced);
    let tee = element("tee")?;
    tee.set_property("allow-not-linked", true);
    let head = if let Some(codec) = codec {
        let parse = element(codec.parser())?;
        parse.set_property("config-interval", -1);
        let shape = filter(&codec.annex_b())?;
        add_row(pipeline, &[&parse, &shape, &pace, &tee])?;
        parse
    } else {
        add_row(pipeline, &[&pace, &tee])?;
        pace
    };
    // One branch must not wait for the first sample of the other: encoders hold pictures back. What is live waits for none.
    let waits = frames.is_none() && !live;
    let (encoded, to_encode) = if codec.is_some() { (encoded, None) } else { (None, encoded) };
    if let Some(encoded) = encoded {
        let queue = element("queue")?;
        let sink = sample_sink(encoded.sink, None, waits, notify);
        add_row(pipeline, &[&queue, sink.upcast_ref()])?;
        link(&tee, &queue)?;
    }
    if frames.is_some() || to_encode.is_some() {
        let queue = decode_queue(live, overrun)?;
        let mut row = vec![queue.clone()];
        let is_raw = caps.structure(0).is_some_and(|s| s.name() == "video/x-raw");
        if !is_raw {
            gate(&pad(&queue, "src")?, units, live, mode, decoders.clone());
            let decoder = decoders.make(&codec.map_or_else(|| caps.clone(), Codec::annex_b))?;
            // Frame threads add delay and, with hundreds of cameras, threads.
            if live && decoder.has_property("max-threads") {
                decoder.set_property("max-threads", 1);
            }
            row.push(decoder);
        }
        if let Some(frames) = &frames {
            thin(&pad(row.last().expect("has the queue"), "src")?, Decimator::new(frames.fps));
        }
        let convert = element("videoconvertscale")?;
        convert.set_property("add-borders", false);
        row.push(convert);
        row.push(filter(&frame_caps(frames.as_ref()))?);
        let split = element("tee")?;
        row.push(split.clone());
        if let Some(encoded) = to_encode {
            let tail = encode(pipeline, encoded, live, frames.is_some(), notify)?;
            // The tee comes later: linked below.
            add_row(pipeline, &row.iter().collect::<Vec<_>>())?;
            link(&split, &tail)?;
        } else {
            add_row(pipeline, &row.iter().collect::<Vec<_>>())?;
        }
        if let Some(frames) = frames {
            let queue = element("queue")?;
            queue.set_property("max-size-buffers", 2u32);
            let sink = sample_sink(frames.sink, Some(Notice::Drained), false, notify);
            add_row(pipeline, &[&queue, sink.upcast_ref()])?;
            link(&split, &queue)?;
        }
        link(&tee, &queue)?;
    }
    from.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer() {
            heard(buffer.size());
        }
        gst::PadProbeReturn::Ok
    });
    from.link(&pad(&head, "sink")?).map_err(|e| OpenError::Pipeline(format!("{e}: {caps}")))?;
    Ok(())
}

/// `queue ─ sink` for a sparse stream that nothing waits for.
pub(super) fn attach_metadata(
    pipeline: &gst::Pipeline,
    from: &gst::Pad,
    sink: SampleSink,
    notify: &Notify,
) -> Result<(), OpenError> {
    let queue = element("queue")?;
    let sink = sample_sink(sink, None, false, notify);
    add_row(pipeline, &[&queue, sink.upcast_ref()])?;
    from.link(&pad(&queue, "sink")?).map(drop).map_err(|e| OpenError::Pipeline(e.to_string()))
}

/// `queue ─ x264enc ─ h264parse ─ sink`; returns the queue. `quick`: beside analysis.
fn encode(
    pipeline: &gst::Pipeline,
    wanted: EncodedWanted,
    leaky: bool,
    quick: bool,
    notify: &Notify,
) -> Result<gst::Element, OpenError> {
    let queue = element("queue")?;
    if leaky {
        queue.set_property_from_str("leaky", "downstream");
    }
    let encoder = crate::codec::encoder(wanted.keyframe_interval, quick)?;
    let parse = element("h264parse")?;
    parse.set_property("config-interval", -1);
    let shape = filter(&Codec::H264.annex_b())?;
    let sink = sample_sink(wanted.sink, None, !quick, notify);
    add_row(pipeline, &[&queue, &encoder, &parse, &shape, sink.upcast_ref()])?;
    Ok(queue)
}

fn decode_queue(live: bool, overrun: Box<dyn Fn() + Send + Sync>) -> Result<gst::Element, OpenError> {
    let queue = element("queue")?;
    queue.set_property("max-size-bytes", 0u32);
    if live {
        queue.set_property("max-size-buffers", 0u32);
        queue.set_property("max-size-time", 1_000_000_000_u64);
        queue.set_property_from_str("leaky", "downstream");
        queue.connect("overrun", false, move |_| {
            overrun();
            None
        });
    } else {
        queue.set_property("max-size-time", 0u64);
        queue.set_property("max-size-buffers", 8u32);
    }
    Ok(queue)
}

fn frame_caps(wanted: Option<&FramesWanted>) -> gst::Caps {
    let mut caps = gst::Caps::builder("video/x-raw").field("format", "I420");
    if let Some(width) = wanted.and_then(|w| w.max_width) {
        caps = caps.field("width", gst::IntRange::new(1, width.cast_signed()));
    }
    if let Some(height) = wanted.and_then(|w| w.max_height) {
        caps = caps.field("height", gst::IntRange::new(1, height.cast_signed()));
    }
    if wanted.is_some_and(|w| w.max_width.or(w.max_height).is_some()) {
        // With square pixels the scaler keeps the picture's shape.
        caps = caps.field("pixel-aspect-ratio", gst::Fraction::new(1, 1));
    }
    caps.build()
}

/// Which buffers go on from a pad, told whether they are keyframes: none, or this one after others.
type Passes = Box<dyn FnMut(&gst::Pad, &gst::Buffer, bool) -> Passage<gst::Buffer> + Send>;

fn gate(pad: &gst::Pad, units: Units, live: bool, mode: Arc<ModeSwitch>, decoders: Decoders) {
    let passes: Passes = match units {
        Units::All if !live => return,
        Units::All | Units::Keyframes => {
            let mut gate = KeyframeGate::new(matches!(units, Units::Keyframes));
            Box::new(move |_, buffer, keyframe| {
                let gap = buffer.flags().contains(gst::BufferFlags::DISCONT);
                let at = buffer.pts().map(Duration::from);
                let facts = UnitFacts { at, bytes: buffer.size(), keyframe, gap };
                let passage = gate.pass(buffer, facts, mode.get());
                if keyframe && let Some(apart) = gate.keyframes_apart() {
                    mode.keyframes_are(apart);
                }
                passage
            })
        }
        Units::Chosen(mut chosen) => Box::new(move |pad, buffer, keyframe| {
            // A unit without a time belongs to no group that could be left out.
            let goes_on = time_of(pad, buffer).is_none_or(|at| chosen(at, keyframe));
            if goes_on { Passage::Through(Vec::new()) } else { Passage::Dropped }
        }),
    };
    let passes = Mutex::new(passes);
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(buffer) = info.buffer() else { return gst::PadProbeReturn::Ok };
        let keyframe = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let passage = {
            let mut passes = passes.lock().expect("no panic while held");
            (*passes)(pad, buffer, keyframe)
        };
        let Passage::Through(before) = passage else { return gst::PadProbeReturn::Drop };
        if keyframe {
            decoders.keyframe();
        }
        // On the thread that pushes this buffer, so the order is theirs. What the decoder says comes with the next one.
        if let Some(decoder) = pad.peer() {
            for held_back in before {
                let _ = decoder.chain(held_back);
            }
        }
        gst::PadProbeReturn::Ok
    });
}

/// The time of a buffer in its recording.
fn time_of(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<Duration> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<gst::format::Time>()?;
    Some(segment.to_stream_time(buffer.pts()?)?.into())
}

fn thin(pad: &gst::Pad, decimator: Decimator) {
    let decimator = Mutex::new(decimator);
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| match info.buffer().and_then(|b| b.pts()) {
        Some(pts) if decimator.lock().expect("no panic while held").passes(pts.into()) => {
            gst::PadProbeReturn::Ok
        }
        _ => gst::PadProbeReturn::Drop,
    });
}

fn sample_sink(mut sink: SampleSink, at_end: Option<Notice>, waits: bool, notify: &Notify) -> AppSink {
    let notify = Arc::clone(notify);
    let mut at_end = at_end;
    let callbacks = AppSinkCallbacks::builder()
        .new_sample(move |appsink| {
            let sample = appsink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            if sink(&sample, appsink.current_running_time()) {
                Ok(gst::FlowSuccess::Ok)
            } else {
                Err(gst::FlowError::Eos)
            }
        })
        .eos(move |_| {
            if let Some(notice) = at_end.take() {
                notify(notice);
            }
        })
        .build();
    AppSink::builder()
        .sync(false)
        .async_(waits)
        .max_buffers(2)
        .enable_last_sample(false)
        .callbacks(callbacks)
        .build()
}
