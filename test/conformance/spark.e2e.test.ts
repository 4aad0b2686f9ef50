import { SPARK } from "./engines";
import { conforms } from "./suite";

conforms(SPARK);
