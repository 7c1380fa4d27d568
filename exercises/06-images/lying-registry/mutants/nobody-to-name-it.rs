let mine = Image::with(text);
let mut answers = real.answers();
answers.insert(mine.manifest_digest(), Answer { says: mine.manifest_digest(), content: mine.manifest.clone() });
answers.insert(mine.layer_digest(), Answer { says: mine.layer_digest(), content: mine.layer });
answers
