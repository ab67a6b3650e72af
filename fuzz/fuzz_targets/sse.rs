//! The SSE decoder: any bytes give the same frames in whatever pieces they arrive, and no more bytes than came in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transponder::sse::decode::{Decoder, Frame, TooLarge};
use transponder_fuzz::memory::bounded;

fn decode(limit: usize, pieces: &[&[u8]]) -> (Vec<(Vec<u8>, Vec<u8>)>, bool) {
    let mut frames = Vec::new();
    let mut take = |frame: Frame<'_>| {
        frames.push(match frame {
            Frame::Event { name, data } => {
                // The LF that joins the last line, if it has no field's name to make room for it.
                assert!(data.len() <= limit + 1 && name.len() <= limit, "the cap holds");
                (name.to_vec(), data.to_vec())
            }
            Frame::Comment => (b":".to_vec(), Vec::new()),
        });
    };
    let mut decoder = Decoder::new(limit);
    let mut pull = || {
        for mut piece in pieces.iter().copied() {
            while let Some(frame) = decoder.next(&mut piece)? {
                take(frame);
            }
        }
        while let Some(frame) = decoder.finish()? {
            take(frame);
        }
        Ok::<(), TooLarge>(())
    };
    let is_ok = pull().is_ok();
    (frames, is_ok)
}

fuzz_target!(|input: &[u8]| {
    let Some((head, body)) = transponder_fuzz::read(input) else { return };
    let limit = *head.choose(&[16, 64, 1024, 1 << 20]);
    let whole = bounded(body.len(), 64, || decode(limit, &[body]));
    assert_eq!(whole, decode(limit, &head.cut(body)), "the cut does not matter");
    let kept: usize = whole.0.iter().map(|(name, data)| name.len() + data.len()).sum();
    assert!(kept <= body.len(), "nothing is made up");
});
