//! A hardware decoder of the tests' making, which fails: the first one that is made swallows what comes and gives nothing,
//! later ones report an error. Nothing takes it unless hardware is asked for.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use gstreamer::{self as gst, glib, prelude::*};

static MADE: AtomicU32 = AtomicU32::new(0);
static BUSY: AtomicBool = AtomicBool::new(false);

mod element {
    use std::sync::LazyLock;

    use gstreamer::subclass::prelude::*;

    use super::{Ordering, glib, gst};

    #[derive(Default)]
    pub(crate) struct Broken;

    #[glib::object_subclass]
    impl ObjectSubclass for Broken {
        const NAME: &'static str = "BrokenHardwareDecoder";
        type Type = super::Broken;
        type ParentType = gst::Element;
    }

    impl ObjectImpl for Broken {
        fn constructed(&self) {
            use gst::prelude::*;
            self.parent_constructed();
            super::MADE.fetch_add(1, Ordering::Relaxed);
            let element = self.obj();
            let template = |name| element.pad_template(name).unwrap();
            let sink = gst::Pad::builder_from_template(&template("sink"))
                .chain_function(|_, parent, _| {
                    // The first one swallows what comes, the second one says so.
                    if super::MADE.load(Ordering::Relaxed) > 1
                        && let Some(element) =
                            parent.and_then(|parent| parent.downcast_ref::<super::Broken>())
                    {
                        gst::element_error!(element, gst::StreamError::Decode, ["the chip is on fire"]);
                        return Err(gst::FlowError::Error);
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build();
            element.add_pad(&sink).unwrap();
            element.add_pad(&gst::Pad::from_template(&template("src"))).unwrap();
        }
    }

    impl GstObjectImpl for Broken {}

    impl ElementImpl for Broken {
        fn change_state(
            &self,
            transition: gst::StateChange,
        ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
            if transition == gst::StateChange::NullToReady && super::BUSY.load(Ordering::Relaxed) {
                return Err(gst::StateChangeError);
            }
            self.parent_change_state(transition)
        }

        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "Broken",
                    "Codec/Decoder/Video/Hardware",
                    "Fails",
                    "Tests",
                )
            });
            Some(&METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let template = |name, direction, format| {
                    let caps = gst::Caps::new_empty_simple(format);
                    gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps).unwrap()
                };
                vec![
                    template("sink", gst::PadDirection::Sink, "video/x-h264"),
                    template("src", gst::PadDirection::Src, "video/x-raw"),
                ]
            });
            &TEMPLATES
        }
    }
}

glib::wrapper! {
    pub(crate) struct Broken(ObjectSubclass<element::Broken>) @extends gst::Element, gst::Object;
}

/// GStreamer knows it from now on.
pub(crate) fn register() {
    gst::init().unwrap();
    gst::Element::register(None, "brokenhardwaredec", gst::Rank::NONE, Broken::static_type()).unwrap();
}

/// Its device cannot be opened from now on.
pub(crate) fn be_busy() {
    BUSY.store(true, Ordering::Relaxed);
}

/// How many were made.
pub(crate) fn made() -> u32 {
    MADE.load(Ordering::Relaxed)
}
