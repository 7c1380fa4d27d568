let content = Image::with(text).layer;
let mut answers = real.answers();
answers.insert(real.layer_digest(), Answer { says: Digest::of(&content), content });
answers
