//! Whether looking ahead is what it says: the distributions of stepping, and a state that is none the wiser.

use super::{Outcome, bits, within};
use crate::autoregressive::Autoregressive;

/// [`Autoregressive::look_ahead`] over guesses must give the distributions of stepping through them, bit for bit, whether they are right or
/// wrong; leave what the state says as it was; and change nothing of what follows, whichever symbols are then taken in. Guesses are the
/// sequence with one symbol of each block replaced by what `change` makes of it.
pub fn looking_ahead<M: Autoregressive>(
    model: &M,
    sequence: &[M::Symbol],
    change: impl Fn(M::Symbol) -> M::Symbol,
) -> Outcome {
    const NAME: &str = "look-ahead = steps";
    let failed = |detail: String| Outcome { name: NAME, detail, passed: false };
    let sequence = within(model, sequence);
    let (mut state, mut stepped) = (model.start(), model.start());
    let (mut at, mut block) = (0, 1);
    while at < sequence.len() {
        let mut guesses = sequence[at..sequence.len().min(at + block)].to_vec();
        let wrong = (at + block) % guesses.len();
        guesses[wrong] = change(guesses[wrong]);
        let after = model.look_ahead(&mut state, &guesses);
        if !(1..=guesses.len()).contains(&after.len()) {
            return failed(format!("{} distributions after {} symbols at position {at}", after.len(), guesses.len()));
        }
        if bits(model.next(&state)) != bits(model.next(&stepped)) {
            return failed(format!("looking ahead at position {at} changes what the state says"));
        }
        let mut ahead = stepped.clone();
        for (i, (distribution, &guess)) in after.iter().zip(&guesses).enumerate() {
            model.step(&mut ahead, guess);
            // Nobody asks for the distribution after a sequence's last symbol.
            let asked = model.length().is_none_or(|length| at + i + 1 < length);
            if asked && bits(distribution) != bits(model.next(&ahead)) {
                return failed(format!(
                    "at position {at}, the distribution after guess {} is not that of stepping",
                    i + 1
                ));
            }
        }
        // The right ones, which may cost nothing, and in the place of the wrong one what comes in truth.
        for &symbol in &sequence[at..=at + wrong] {
            model.step(&mut state, symbol);
            model.step(&mut stepped, symbol);
            at += 1;
            if model.length().is_none_or(|length| at < length) && bits(model.next(&state)) != bits(model.next(&stepped))
            {
                return failed(format!("a step to position {at} after looking ahead is another"));
            }
        }
        block = block % 7 + 1;
    }
    Outcome { name: NAME, detail: format!("bit for bit over {} positions", sequence.len()), passed: true }
}
