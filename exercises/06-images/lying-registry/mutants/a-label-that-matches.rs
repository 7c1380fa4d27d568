let content = Image::with(text).layer;
let mut answers = real.answers();
answers.insert(real.layer_digest(), Answer { says: real.layer_digest(), content });
answers
