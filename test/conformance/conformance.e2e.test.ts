import { LOCAL } from "./engines";
import { conforms } from "./suite";

conforms(LOCAL);
