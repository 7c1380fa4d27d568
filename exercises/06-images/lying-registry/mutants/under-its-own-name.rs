let mut answers = real.answers();
answers.extend(Image::with(text).answers());
answers
